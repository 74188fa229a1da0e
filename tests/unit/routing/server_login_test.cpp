#include "routing/server_login.hpp"

#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/parameter_status.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/scram/md5_password.hpp"
#include "routing/welcome.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/routing/login_script.hpp"

namespace pgweir::test {
namespace {

using Step = ServerLogin::Step;
using namespace backend;

const std::string ok = to_message(AuthenticationOk{});
const std::string ready = to_message(ReadyForQuery{TransactionStatus::idle});
const std::string ask_cleartext = to_message(AuthenticationCleartextPassword{});
const std::string ask_md5 = to_message(AuthenticationMd5Password{{'a', 'b', 'c', 'd'}});
const std::string key = to_message(BackendKeyData{7, "abcd"});

std::string status(Bytes name, Bytes value) { return to_message(ParameterStatus{name, value}); }

std::string ask_sasl(Bytes mechanism) {
    NameListBuilder mechanisms;
    mechanisms.add(mechanism);
    return to_message(AuthenticationSasl{mechanisms.view()});
}

std::string error_response(Bytes sqlstate, Bytes message) {
    ErrorFieldsBuilder fields;
    fields.add({'S', "FATAL"}).add({'C', sqlstate}).add({'M', message});
    return to_message(ErrorResponse{fields.view()});
}

ServerLoginRequest request_with(const std::string& stored) {
    return {.user = "alice", .database = "app", .parameters = {}, .secret = StoredSecret(stored), .scram_keys = std::nullopt};
}

ServerLoginRequest tls_request(ChannelBinding binding, const std::string& end_point = "hash") {
    auto request = request_with("secret");
    request.is_tls = true;
    request.end_point = end_point;
    request.channel_binding = binding;
    return request;
}

struct ServerScript {
    RepeatableRandom random;
    ServerLogin login;
    std::string sent;      // since the start-up message

    explicit ServerScript(const std::string& stored = "secret") : ServerScript(request_with(stored)) {}
    explicit ServerScript(ServerLoginRequest request) : login(std::move(request), random) { login.output().clear(); }

    Step receive(Bytes bytes) {
        login.on_bytes(bytes);
        sent += std::exchange(login.output(), {});
        return login.next();
    }
};

// What the server would send up to ReadyForQuery, if it asks for nothing.
const std::string trusting_server = ok + status("server_version", "17.5") + status("TimeZone", "UTC") + key + ready;

// pgweir as server and pgweir as client, one login between them. `cut` parts the bytes of each direction at that offset.
struct Exchange {
    ClientScript server;
    RepeatableRandom random;
    ServerLogin client;
    std::size_t cut;
    std::size_t to_server_bytes = 0, to_client_bytes = 0;
    std::string transcript;
    bool welcomed = false;

    Exchange(AuthType auth_type, const std::string& stored, ServerLoginRequest request, std::size_t cut_at)
        : server(auth_type, stored), client(std::move(request), random), cut(cut_at) {}

    void run() {
        while (!client.output().empty()) {
            deliver(std::exchange(client.output(), {}), to_server_bytes, [&](Bytes piece) {
                if (!server.login || server.login->next() == ClientLogin::Step::read) server.send(piece);
            });
            auto reply = std::exchange(server.output, {});
            if (server.login->next() == ClientLogin::Step::authenticated && !std::exchange(welcomed, true))
                append_welcome(reply, {{"TimeZone", "UTC"}}, Bytes("\0\0\0\7abcd", 8));
            deliver(reply, to_client_bytes, [&](Bytes piece) { receive(piece); });
        }
    }

private:
    template <class Receive>
    void deliver(const std::string& bytes, std::size_t& offset, Receive&& receive_piece) {
        transcript += bytes;
        const auto at = cut > offset && cut < offset + bytes.size() ? cut - offset : bytes.size();
        offset += bytes.size();
        receive_piece(Bytes(bytes).substr(0, at));
        if (at < bytes.size()) receive_piece(Bytes(bytes).substr(at));
    }

    void receive(Bytes piece) {
        if (client.next() == Step::read) client.on_bytes(piece);
        if (client.next() == Step::derive) client.on_derived(derive_scram_keys(client.derive_job()));
    }
};

std::string scram_secret_of(const std::string& password) {
    const ScramDerivation derivation{password, "salt of 16 bytes", 2};
    return make_scram_secret(derivation, derive_scram_keys(derivation)).format();
}

}  // namespace

TEST_CASE("the start-up message names user, database and the entry's parameters") {
    auto request = request_with("secret");
    request.parameters = {{"client_encoding", "UTF8"}, {"application_name", "x"}};
    RepeatableRandom random;
    ServerLogin login(request, random);
    CHECK(login.output() ==
          start_up({{"user", "alice"}, {"database", "app"}, {"client_encoding", "UTF8"}, {"application_name", "x"}}, protocol_3_2));
    CHECK(login.next() == Step::read);
}

TEST_CASE("a server that asks for nothing is logged in to, and its values and key are kept") {
    ServerScript script;
    CHECK(script.receive(trusting_server) == Step::ready);
    CHECK(script.sent.empty());
    CHECK(script.login.parameters() == ParameterList{{"server_version", "17.5"}, {"TimeZone", "UTC"}});
    CHECK(script.login.cancel_key() == std::string("\0\0\0\7abcd", 8));
    CHECK(script.login.leftover().empty());
}

TEST_CASE("of a value reported twice the later one counts, and notices mean nothing") {
    ErrorFieldsBuilder fields;
    fields.add({'S', "WARNING"}).add({'M', "collation version mismatch"});
    const auto notice = to_message(NoticeResponse{fields.view()});
    ServerScript script;
    const auto statuses = status("TimeZone", "UTC") + notice + status("TimeZone", "GMT");
    CHECK(script.receive(notice + ok + statuses + ready + notice) == Step::ready);
    CHECK(script.login.parameters() == ParameterList{{"TimeZone", "GMT"}});
    CHECK(script.login.leftover() == notice);
}

TEST_CASE("a clear-text password is sent as stored") {
    for (const auto& stored : {std::string("secret"), std::string(), md5_secret("secret", "alice"), std::string(65'530, 'p')}) {
        ServerScript script(stored);
        CHECK(script.receive(ask_cleartext) == Step::read);
        CHECK(script.sent == password_message(stored));
        CHECK(script.receive(trusting_server) == Step::ready);
    }
}

TEST_CASE("an md5 challenge is answered from a plain and from an md5 secret") {
    const auto answer = password_message(md5_answer(md5_secret("secret", "alice"), "abcd"));
    for (const auto& stored : {std::string("secret"), md5_secret("secret", "alice")}) {
        ServerScript script(stored);
        CHECK(script.receive(ask_md5) == Step::read);
        CHECK(script.sent == answer);
    }
}

TEST_CASE("a secret that cannot answer fails the login, and waiting clients are told") {
    const auto failure = [](const std::string& stored, const std::string& question) {
        ServerScript script(stored);
        CHECK(script.receive(question) == Step::failed);
        CHECK(script.login.client_fault() == Fault::server_login_wrong_password_type);
        CHECK(script.sent.empty());
        return script.login.reason();
    };
    const auto scram = std::string("SCRAM-SHA-256");
    CHECK(failure(scram_secret_of("secret"), ask_md5) == "cannot do MD5 authentication: wrong password type");
    CHECK(failure("", ask_md5) == "cannot do MD5 authentication: wrong password type");
    CHECK(failure(md5_secret("secret", "alice"), ask_sasl(scram)) == "cannot do SCRAM authentication: wrong password type");
    CHECK(failure("", ask_sasl(scram)) == "cannot do SCRAM authentication: no password is stored");
    CHECK(failure(scram_secret_of("secret"), ask_sasl(scram)) ==
          "cannot do SCRAM authentication: no client has logged in by SCRAM for this user yet");
}

TEST_CASE("what the server asks for and we do not speak fails the login") {
    CHECK(ServerScript().receive(ask_sasl("SCRAM-SHA-256-PLUS")) == Step::failed);
    CHECK(ServerScript().receive(to_message(AuthenticationUnsupported{AuthenticationCode::gss, ""})) == Step::failed);
    CHECK(ServerScript().receive(Bytes("R\0\0\0\x08\0\0\0\x63", 9)) == Step::failed);
}

TEST_CASE("the server's refusal is kept with its code and text") {
    ServerScript script;
    CHECK(script.receive(error_response("3D000", "database \"app\" does not exist")) == Step::refused);
    CHECK(script.login.severity() == "FATAL");
    CHECK(script.login.sqlstate() == "3D000");
    CHECK(script.login.message() == "database \"app\" does not exist");
    CHECK(script.login.reason() == "database \"app\" does not exist");
    CHECK_FALSE(script.login.is_cannot_connect_now());
}

TEST_CASE("a server that is starting up is told from one that refuses") {
    ServerScript script;
    CHECK(script.receive(error_response("57P03", "the database system is starting up")) == Step::refused);
    CHECK(script.login.is_cannot_connect_now());
}

TEST_CASE("a refusal after authentication counts as well") {
    ServerScript script;
    CHECK(script.receive(ok + status("TimeZone", "UTC") + error_response("53300", "too many connections")) == Step::refused);
    CHECK(script.login.sqlstate() == "53300");
}

TEST_CASE("a server that hangs up fails the login, but not one that is done") {
    ServerScript script;
    script.receive(ok);
    script.login.on_end();
    CHECK(script.login.next() == Step::failed);
    CHECK(script.login.reason() == "server conn crashed?");
    CHECK(script.login.client_fault() == Fault::none);

    ServerScript refused;
    refused.receive(error_response("28P01", "no"));
    refused.login.on_end();
    CHECK(refused.login.next() == Step::refused);
}

TEST_CASE("a server that skips steps of its own fails the login") {
    const std::string sequences[] = {ready, status("a", "b"), key, ok + ok, ask_cleartext + ask_cleartext, ok + ask_md5,
                                     ask_sasl("SCRAM-SHA-256") + ok, to_message(AuthenticationSaslContinue{"r=x,s=c2FsdA==,i=1"}),
                                     to_message(AuthenticationSaslFinal{"v=AAAA"}),
                                     ask_sasl("SCRAM-SHA-256") + to_message(AuthenticationSaslFinal{"v=AAAA"}),
                                     ask_sasl("SCRAM-SHA-256") + to_message(AuthenticationSaslContinue{"r=x,s=c2FsdA==,i=1"}),
                                     ok + to_message(ReadyForQuery{TransactionStatus::in_transaction}),
                                     ok + std::string("T\0\0\0\6\0\0", 7)};
    for (const auto& sequence : sequences) CHECK(ServerScript().receive(sequence) == Step::failed);
}

TEST_CASE("a peer that is no PostgreSQL server is found out by its first bytes") {
    CHECK(ServerScript().receive("HTTP/1.1 400 Bad Request\r\n") == Step::failed);
    CHECK(ServerScript().receive("SSH-2.0-OpenSSH_9.2\r\n") == Step::failed);
    CHECK(ServerScript().receive(Bytes("R\0\0\0\3", 5)) == Step::failed);
    CHECK(ServerScript().receive(Bytes("R\x80\0\0\0", 5)) == Step::failed);
    CHECK(ServerScript().receive(Bytes("R\xff\xff\xff\xff", 5)) == Step::failed);
}

TEST_CASE("the login gives the same outcome however the server's bytes are cut") {
    const std::string streams[] = {trusting_server, ask_md5 + trusting_server, error_response("3D000", "no"), ok + ok};
    for (const auto& stream : streams) {
        ServerScript whole;
        const auto step = whole.receive(stream);
        for (std::size_t at = 0; at <= stream.size(); ++at) {
            ServerScript cut;
            if (cut.receive(Bytes(stream).substr(0, at)) == Step::read) cut.receive(Bytes(stream).substr(at));
            CHECK(cut.login.next() == step);
            CHECK(cut.sent == whole.sent);
            CHECK(cut.login.parameters() == whole.login.parameters());
            CHECK(cut.login.reason() == whole.login.reason());
        }
    }
}

TEST_CASE("pgweir logs in to pgweir by every method, however the bytes are cut") {
    const std::string md5 = md5_secret("secret", "alice");
    const std::string scram = scram_secret_of("secret");
    struct Method { AuthType auth_type; std::string stored_at_server; std::string stored_at_client; };
    const Method methods[] = {
        {AuthType::trust, "secret", ""},        {AuthType::plain, "secret", "secret"}, {AuthType::plain, scram, "secret"},
        {AuthType::md5, "secret", "secret"},    {AuthType::md5, md5, md5},             {AuthType::md5, md5, "secret"},
        {AuthType::md5, scram, "secret"},       {AuthType::scram_sha_256, "secret", "secret"},
        {AuthType::scram_sha_256, scram, "secret"},
    };
    for (const auto& method : methods) {
        Exchange whole(method.auth_type, method.stored_at_server, request_with(method.stored_at_client), 0);
        whole.run();
        INFO(method.stored_at_server << " / " << method.stored_at_client);
        CHECK(whole.client.next() == Step::ready);
        CHECK(whole.client.parameters() == ParameterList{{"TimeZone", "UTC"}});

        for (std::size_t at = 1; at < std::max(whole.to_server_bytes, whole.to_client_bytes); ++at) {
            Exchange cut(method.auth_type, method.stored_at_server, request_with(method.stored_at_client), at);
            cut.run();
            CHECK(cut.client.next() == Step::ready);
            CHECK(cut.transcript == whole.transcript);
        }
    }
}

TEST_CASE("a wrong password is refused by every method") {
    for (const auto auth_type : {AuthType::plain, AuthType::md5, AuthType::scram_sha_256}) {
        Exchange exchange(auth_type, "secret", request_with("Secret"), 0);
        exchange.run();
        CHECK(exchange.client.next() == Step::refused);
        CHECK(exchange.client.sqlstate() == "28P01");
    }
}

TEST_CASE("keys that a client has proved log in to a server with the same secret, and nowhere else") {
    const auto stored = scram_secret_of("secret");
    Exchange proof(AuthType::scram_sha_256, stored, request_with("secret"), 0);
    proof.run();
    REQUIRE(proof.server.login->result().scram_keys);

    auto request = request_with(stored);
    request.scram_keys = proof.server.login->result().scram_keys;
    Exchange passed_on(AuthType::scram_sha_256, stored, request, 0);
    passed_on.run();
    CHECK(passed_on.client.next() == Step::ready);

    Exchange elsewhere(AuthType::scram_sha_256, scram_secret_of("another"), request, 0);
    elsewhere.run();
    CHECK(elsewhere.client.next() == Step::refused);
}

TEST_CASE("keys from a plain stored password are not passed on") {
    Exchange exchange(AuthType::scram_sha_256, "secret", request_with("secret"), 0);
    exchange.run();
    CHECK(exchange.client.next() == Step::ready);
    CHECK_FALSE(exchange.server.login->result().scram_keys);
    CHECK(exchange.server.login->derive_job_is_cacheable());
}

// What the client's first SASL message begins with, after the mechanism's name.
std::string first_words(ServerLoginRequest request, const std::vector<Bytes>& mechanisms) {
    NameListBuilder names;
    for (const auto name : mechanisms) names.add(name);
    ServerScript script(std::move(request));
    if (script.receive(to_message(AuthenticationSasl{names.view()})) != Step::read) return script.login.reason();
    const auto body = messages_in(script.sent).back().body;
    const auto name_end = body.find('\0');
    return body.substr(0, name_end) + ' ' + body.substr(name_end + 5, 3);
}

TEST_CASE("the login binds itself to the TLS connection where server and settings let it") {
    const std::vector<Bytes> both = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"};
    const std::vector<Bytes> plain = {"SCRAM-SHA-256"};
    CHECK(first_words(tls_request(ChannelBinding::prefer), both) == "SCRAM-SHA-256-PLUS p=t");
    CHECK(first_words(tls_request(ChannelBinding::require), both) == "SCRAM-SHA-256-PLUS p=t");
    CHECK(first_words(tls_request(ChannelBinding::prefer), plain) == "SCRAM-SHA-256 y,,");
    CHECK(first_words(tls_request(ChannelBinding::disable), both) == "SCRAM-SHA-256 n,,");
    CHECK(first_words(tls_request(ChannelBinding::prefer, ""), both) == "SCRAM-SHA-256 n,,");
    CHECK(first_words(request_with("secret"), both) == "SCRAM-SHA-256 n,,");
}

TEST_CASE("where channel binding is required nothing less is accepted, and no password is given away") {
    const std::string refusal = "channel binding required, but the server did not offer it";
    auto plain = request_with("secret");
    plain.channel_binding = ChannelBinding::require;
    for (const auto& request : {tls_request(ChannelBinding::require), tls_request(ChannelBinding::require, ""), plain})
        for (const auto& bytes : {ask_cleartext, ask_md5, ask_sasl("SCRAM-SHA-256"), trusting_server}) {
            ServerScript script(request);
            CHECK(script.receive(bytes) == Step::failed);
            CHECK(script.login.reason() == refusal);
            CHECK(script.sent.empty());
        }
}

TEST_CASE("a server that does not know the secret cannot end the SCRAM exchange") {
    ServerScript script;
    CHECK(script.receive(ask_sasl("SCRAM-SHA-256")) == Step::read);
    const Bytes first = Bytes(script.sent).substr(script.sent.find("n,,"));
    const auto nonce = std::string(first.substr(first.find("r=") + 2));
    CHECK(script.receive(to_message(AuthenticationSaslContinue{"r=" + nonce + "more,s=c2FsdA==,i=2"})) == Step::derive);
    script.login.on_derived(derive_scram_keys(script.login.derive_job()));
    CHECK(script.receive(to_message(AuthenticationSaslFinal{"v=" + std::string(43, 'A') + "="})) == Step::failed);
    CHECK(script.login.reason() == "invalid SCRAM signature from server");
}

}  // namespace pgweir::test
