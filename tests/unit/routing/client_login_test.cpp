#include "routing/client_login.hpp"

#include "protocol/frontend/cancel_request.hpp"
#include "protocol/frontend/gss_enc_request.hpp"
#include "protocol/frontend/sasl_initial_response.hpp"
#include "protocol/frontend/ssl_request.hpp"
#include "protocol/message_type.hpp"
#include "protocol/scram/md5_password.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/routing/login_script.hpp"

namespace pgweir::test {
namespace {

using Step = ClientLogin::Step;

const std::string alice_to_app = start_up({{"user", "alice"}, {"database", "app"}});
const std::string alice_to_console = start_up({{"user", "alice"}, {"database", "pgbouncer"}});
const std::string md5_secret_of_alice = md5_secret("secret", "alice");

template <class Packet>
std::string packet(const Packet& value) {
    std::string out;
    append_packet(out, value);
    return out;
}

const std::string ssl_request = packet(frontend::SslRequest{});
const std::string gss_request = packet(frontend::GssEncRequest{});
const std::string cancel_request = packet(frontend::CancelRequest{7, "abcd"});

std::string scram_secret_of(const std::string& password) {
    const ScramDerivation derivation{password, "salt of 16 bytes", 2};
    return make_scram_secret(derivation, derive_scram_keys(derivation)).format();
}

std::string sasl_initial(Bytes mechanism, Bytes data) { return to_message(frontend::SaslInitialResponse{mechanism, data}); }

// What the client answers to the md5 challenge at the end of the output.
std::string md5_answer_to(const ClientScript& script, const std::string& password) {
    return password_message(md5_answer(md5_secret(password, "alice"), Bytes(script.last_body()).substr(4)));
}

std::string error_of_first_bytes(Bytes bytes) {
    ClientScript script;
    CHECK(script.send(bytes) == Step::refused);
    return script.error();
}

}  // namespace

// The start-up phase

TEST_CASE("a known user is let in by trust, an unknown one is not") {
    ClientScript script(AuthType::trust);
    CHECK(script.send(alice_to_app) == Step::authenticated);
    CHECK(script.output.empty());
    CHECK(script.login->result().user == "alice");
    CHECK(script.login->result().database == "app");
    CHECK(script.login->result().console == ConsoleRole::none);

    ClientScript stranger(AuthType::trust);
    CHECK(stranger.send(start_up({{"user", "mallory"}, {"database", "app"}})) == Step::refused);
    CHECK(stranger.error() == "28000 \"trust\" authentication failed");
}

TEST_CASE("SSL and GSS requests are answered N, once each, and the client goes on") {
    ClientScript script;
    CHECK(script.send(ssl_request) == Step::read);
    CHECK(script.send(gss_request) == Step::read);
    CHECK(script.output == "NN");
    CHECK(script.send(alice_to_app) == Step::authenticated);

    ClientScript insistent;
    CHECK(insistent.send(ssl_request) == Step::read);
    CHECK(insistent.send(ssl_request) == Step::refused);
}

TEST_CASE("bytes that come along with an SSL or GSS request are refused") {
    CHECK(error_of_first_bytes(ssl_request + alice_to_app) == "08P01 received unencrypted data after SSL request");
    CHECK(error_of_first_bytes(ssl_request + "x") == "08P01 received unencrypted data after SSL request");
    CHECK(error_of_first_bytes(gss_request + alice_to_app) == "08P01 received unencrypted data after GSSAPI encryption request");
}

TEST_CASE("where TLS is offered the request is answered S and the handshake is the caller's") {
    ClientScript script;
    script.rules->tls = TlsOffer::required;
    CHECK(script.send(ssl_request) == Step::negotiate_tls);
    CHECK(script.output == "S");
    script.login->on_tls_ready();
    CHECK(script.send(alice_to_app) == Step::authenticated);
}

TEST_CASE("TLS may begin without a request, by its first byte") {
    ClientScript script;
    script.rules->tls = TlsOffer::offered;
    CHECK(script.send("\x16") == Step::negotiate_tls);
    CHECK(script.output.empty());
    CHECK(script.login->leftover() == "\x16");
    script.login->on_tls_ready();
    CHECK(script.login->leftover().empty());
    CHECK(script.send(alice_to_app) == Step::authenticated);
}

TEST_CASE("inside TLS nobody begins TLS again") {
    for (const auto& more : {ssl_request, std::string("\x16\3\1\2\0\1\0\1", 8)}) {
        ClientScript script;
        script.rules->tls = TlsOffer::offered;
        script.send("\x16");
        script.login->on_tls_ready();
        CHECK(script.send(more) == Step::refused);
    }
}

TEST_CASE("TLS that begins without a request is refused where TLS is not offered") {
    const std::string hello("\x16\3\1\2\0\1\0\1", 8);
    CHECK(error_of_first_bytes(hello).starts_with("08P01 bad packet header"));

    ClientScript local;
    local.rules->tls = TlsOffer::offered;
    local.peer.is_unix_socket = true;
    CHECK(local.send(hello) == Step::refused);
}

TEST_CASE("a handshake that fails closes without an answer") {
    ClientScript script;
    script.rules->tls = TlsOffer::required;
    script.send(ssl_request);
    script.login->on_tls_failed();
    CHECK(script.login->next() == Step::close);
    CHECK(script.output == "S");
}

TEST_CASE("required TLS refuses plain TCP logins, but no cancel request and no Unix socket") {
    ClientScript script;
    script.rules->tls = TlsOffer::required;
    CHECK(script.send(alice_to_app) == Step::refused);
    CHECK(script.error() == "28000 SSL required");

    ClientScript canceller;
    canceller.rules->tls = TlsOffer::required;
    CHECK(canceller.send(cancel_request) == Step::cancel);

    ClientScript local;
    local.rules->tls = TlsOffer::required;
    local.peer.is_unix_socket = true;
    CHECK(local.send(alice_to_app) == Step::authenticated);
}

TEST_CASE("a cancel request gives its key and no answer") {
    ClientScript script;
    CHECK(script.send(cancel_request) == Step::cancel);
    CHECK(script.login->cancel_key() == Bytes("\0\0\0\7abcd", 8));
    CHECK(script.output.empty());

    ClientScript longer;
    CHECK(longer.send(packet(frontend::CancelRequest{7, std::string(32, 'k')})) == Step::cancel);
    CHECK(longer.login->cancel_key().size() == 36);
}

TEST_CASE("a malformed cancel request is closed without an answer") {
    ClientScript script;
    CHECK(script.send(Bytes("\0\0\0\x0b\x04\xd2\x16\x2e\0\0\0", 11)) == Step::close);
    CHECK(script.output.empty());
}

TEST_CASE("old and unknown protocols are refused by name") {
    CHECK(error_of_first_bytes(Bytes("\0\0\0\x08\0\2\0\0", 8)) == "0A000 old V2 protocol not supported");
    CHECK(error_of_first_bytes(Bytes("\0\0\0\x08\0\4\0\0", 8)) == "08P01 bad packet header: '0000000800040000'");
    CHECK(error_of_first_bytes("GET / HTTP/1.1\r\n\r\n") == "08P01 bad packet header: '474554202f204854'");
    CHECK(error_of_first_bytes(Bytes("\x16\x03\x01\0\xf8\x01\0\0\xf4", 9)) == "08P01 bad packet header: '16030100f8010000'");
    CHECK(error_of_first_bytes(Bytes("\0\0\0\7\0\3\0\0", 8)) == "08P01 bad packet header: '0000000700030000'");
    CHECK(error_of_first_bytes(Bytes("\0\0\0\0\0\3\0\0", 8)) == "08P01 bad packet header: '0000000000030000'");
}

TEST_CASE("a start-up packet must end with its terminator") {
    CHECK(error_of_first_bytes(Bytes("\0\0\0\x08\0\3\0\0", 8)) ==
          "08P01 invalid startup packet layout: expected terminator as last byte");
    auto trailing = alice_to_app + "x";
    patch_length(trailing, 0);
    CHECK(error_of_first_bytes(trailing) == "08P01 invalid startup packet layout: expected terminator as last byte");
}

TEST_CASE("a start-up packet has 10,000 bytes at most, and a longer one is not waited for") {
    const auto with_options = [](std::size_t bytes) {
        const auto empty = start_up({{"user", "alice"}, {"database", "app"}, {"options", ""}}).size();
        return start_up({{"user", "alice"}, {"database", "app"}, {"options", std::string(bytes - empty, ' ')}});
    };
    ClientScript script;
    CHECK(script.send(with_options(10'004)) == Step::authenticated);
    CHECK(error_of_first_bytes(Bytes(with_options(10'005)).substr(0, 8)) == "08P01 invalid length of startup packet");
}

TEST_CASE("a newer minor version gets one NegotiateProtocolVersion, also when the user must be looked up") {
    ClientScript asked(AuthType::trust);
    asked.directory.users["alice"].known = UserKnown::ask;
    asked.auth_query["alice"] = "secret";
    CHECK(asked.send(start_up({{"user", "alice"}, {"database", "app"}}, {3 << 16 | 9999})) == Step::authenticated);
    CHECK(types_in(asked.output) == "v");
}

TEST_CASE("what the start-up parameters lack is told before anything else is looked at") {
    CHECK(error_of_first_bytes(start_up({{"database", "app"}})) == "28000 no username supplied");
    CHECK(error_of_first_bytes(start_up({{"user", "alice"}, {"geqo", "off"}})) == "42704 unsupported startup parameter: geqo");
}

TEST_CASE("application_name_add_host appends the peer's address") {
    ClientScript script;
    script.rules->application_name_add_host = true;
    script.send(start_up({{"user", "alice"}, {"database", "app"}, {"application_name", "psql"}}));
    CHECK(*find_parameter(script.login->result().parameters.tracked, "application_name") == "psql - 10.0.0.7:40112");

    ClientScript nameless;
    nameless.rules->application_name_add_host = true;
    nameless.send(alice_to_app);
    CHECK(*find_parameter(nameless.login->result().parameters.tracked, "application_name") == "app - 10.0.0.7:40112");
}

// Limits

TEST_CASE("a known user counts against all bounds, before authentication") {
    ClientScript script(AuthType::plain);
    CHECK(script.send(alice_to_app) == Step::read);
    CHECK(script.admissions == std::vector<Admission>{{.process = true, .database = true, .user = true}});
}

TEST_CASE("a client that is not admitted is told why and asked nothing") {
    ClientScript script(AuthType::plain);
    script.admission_answer = Fault::too_many_clients;
    CHECK(script.send(alice_to_app) == Step::refused);
    CHECK(script.error() == "53300 no more connections allowed (max_client_conn)");
    CHECK(types_in(script.output) == "E");
    CHECK_FALSE(script.attempt_logged);
}

TEST_CASE("an unknown user is not counted as a user") {
    ClientScript script(AuthType::plain);
    script.send(start_up({{"user", "mallory"}, {"database", "app"}}));
    CHECK(script.admissions == std::vector<Admission>{{.process = true, .database = true, .user = false}});
}

TEST_CASE("a user whom auth_query finds is counted when the answer is there") {
    ClientScript script(AuthType::plain);
    script.directory.users["bob"].known = UserKnown::ask;
    script.auth_query["bob"] = "hidden";
    CHECK(script.send(start_up({{"user", "bob"}, {"database", "app"}})) == Step::read);
    CHECK(script.admissions == std::vector<Admission>{{.process = true, .database = true, .user = false},
                                                      {.process = false, .database = false, .user = true}});
    CHECK(script.send(password_message("hidden")) == Step::authenticated);
    CHECK(script.login->result().secret.text() == "hidden");
}

TEST_CASE("a user whom auth_query does not find is refused at once") {
    ClientScript script(AuthType::plain);
    script.directory.users["bob"].known = UserKnown::ask;
    CHECK(script.send(start_up({{"user", "bob"}, {"database", "app"}})) == Step::refused);
    CHECK(script.error() == "28P01 no such user");
}

TEST_CASE("the console is free of max_client_conn, and its admins of all bounds") {
    ClientScript script;
    script.rules->stats_users = {"alice"};
    script.send(alice_to_console);
    CHECK(script.admissions == std::vector<Admission>{{.process = false, .database = true, .user = true}});

    ClientScript admin;
    admin.rules->admin_users = {"alice"};
    CHECK(admin.send(alice_to_console) == Step::authenticated);
    CHECK(admin.admissions.empty());
}

// Passwords

TEST_CASE("a clear-text password is checked against every kind of secret") {
    for (const auto& stored : {std::string("secret"), md5_secret_of_alice, scram_secret_of("secret")}) {
        INFO(stored);
        ClientScript script(AuthType::plain, stored);
        CHECK(script.send(alice_to_app) == Step::read);
        CHECK(script.output == std::string("R\0\0\0\x08\0\0\0\3", 9));
        CHECK(script.send(password_message("secret")) == Step::authenticated);

        ClientScript wrong(AuthType::plain, stored);
        wrong.send(alice_to_app);
        CHECK(wrong.send(password_message("Secret")) == Step::refused);
        CHECK(wrong.error() == "28P01 password authentication failed");
    }
}

TEST_CASE("a clear-text password that fits a SCRAM secret gives the keys for passing on") {
    ClientScript script(AuthType::plain, scram_secret_of("secret"));
    script.send(alice_to_app);
    script.send(password_message("secret"));
    CHECK(script.login->result().scram_keys == derive_scram_keys({"secret", "salt of 16 bytes", 2}));
    CHECK_FALSE(script.login->derive_job_is_cacheable());
}

TEST_CASE("an md5 answer is checked against plain and md5 secrets") {
    for (const auto& stored : {std::string("secret"), md5_secret_of_alice}) {
        ClientScript script(AuthType::md5, stored);
        CHECK(script.send(alice_to_app) == Step::read);
        CHECK(script.send(md5_answer_to(script, "secret")) == Step::authenticated);

        ClientScript wrong(AuthType::md5, stored);
        wrong.send(alice_to_app);
        CHECK(wrong.send(md5_answer_to(wrong, "Secret")) == Step::refused);
        CHECK(wrong.error() == "28P01 password authentication failed");
    }
}

TEST_CASE("an md5 answer cannot be used a second time") {
    ClientScript first(AuthType::md5);
    first.send(alice_to_app);
    const auto answer = md5_answer_to(first, "secret");
    ClientScript second(AuthType::md5);
    second.random.next();                     // another login drew before it
    second.send(alice_to_app);
    CHECK(second.send(answer) == Step::refused);
}

TEST_CASE("md5 turns to SCRAM for a stored SCRAM secret") {
    ClientScript script(AuthType::md5, scram_secret_of("secret"));
    CHECK(script.send(alice_to_app) == Step::read);
    CHECK(script.last_body() == std::string("\0\0\0\x0aSCRAM-SHA-256\0\0", 19));
    CHECK(script.send(sasl_initial("SCRAM-SHA-256", "n,,n=,r=abc")) == Step::read);
    CHECK(script.send(to_message(frontend::PasswordMessage{"c=biws,r=x,p=y"})) == Step::refused);
    CHECK(script.error() == "28P01 SASL authentication failed");
}

TEST_CASE("an unknown user, and one without a password, are asked like any other and then refused") {
    for (const auto auth_type : {AuthType::plain, AuthType::md5}) {
        ClientScript known(auth_type);
        known.send(alice_to_app);

        ClientScript unknown(auth_type);
        CHECK(unknown.send(start_up({{"user", "mallory"}, {"database", "app"}})) == Step::read);
        CHECK(unknown.output == known.output);
        CHECK(unknown.send(password_message("secret")) == Step::refused);
        CHECK(unknown.error() == "28P01 password authentication failed");

        ClientScript empty(auth_type, "");
        CHECK(empty.send(alice_to_app) == Step::read);
        CHECK(empty.send(password_message("secret")) == Step::refused);
    }
}

TEST_CASE("SCRAM shows a stable salt for every name, whoever has it") {
    const auto server_first = [](const std::string& user, const std::string& stored) {
        ClientScript script(AuthType::scram_sha_256, stored);
        script.send(start_up({{"user", user}, {"database", "app"}}));
        CHECK(script.send(sasl_initial("SCRAM-SHA-256", "n,,n=,r=abc")) == Step::read);
        return script.last_body();
    };
    CHECK(server_first("mallory", "secret") == server_first("mallory", "secret"));
    CHECK(server_first("mallory", "secret") != server_first("trudy", "secret"));
    CHECK(server_first("mallory", "secret").size() == server_first("alice", "secret").size());
    CHECK(server_first("alice", "secret") == server_first("alice", "another"));
    CHECK(server_first("alice", "secret") == server_first("alice", ""));
    CHECK(server_first("alice", "secret") == server_first("alice", md5_secret_of_alice));
}

// A client on TLS, as far as the question for SCRAM.
ClientScript tls_script(TlsFacts facts, AuthType auth_type = AuthType::scram_sha_256) {
    ClientScript script(auth_type);
    script.rules->tls = TlsOffer::offered;
    script.send(ssl_request);
    script.output.clear();
    script.login->on_tls_ready(std::move(facts));
    script.send(alice_to_app);
    return script;
}

TEST_CASE("channel binding is offered where the connection has data for it") {
    const auto offered = [](TlsFacts facts) { return messages_in(tls_script(std::move(facts)).output).front().body.substr(4); };
    CHECK(offered({.end_point = "hash"}) == std::string("SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0\0", 34));
    CHECK(offered({}) == std::string("SCRAM-SHA-256\0\0", 15));
}

TEST_CASE("a client that was offered channel binding cannot say that it was not") {
    auto script = tls_script({.end_point = "hash"});
    CHECK(script.send(sasl_initial("SCRAM-SHA-256", "y,,n=,r=abc")) == Step::refused);
    CHECK(script.error() == "28P01 SASL authentication failed");

    auto content = tls_script({.end_point = "hash"});
    CHECK(content.send(sasl_initial("SCRAM-SHA-256", "n,,n=,r=abc")) == Step::read);
    auto bound = tls_script({.end_point = "hash"});
    CHECK(bound.send(sasl_initial("SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=abc")) == Step::read);
}

TEST_CASE("auth_type cert lets in whom the certificate names, and says in the log why not") {
    const auto step = [](TlsFacts facts) { return tls_script(std::move(facts), AuthType::cert).login->next(); };
    CHECK(step({.has_certificate = true, .names = {"alice"}}) == Step::authenticated);
    CHECK(step({.has_certificate = true, .names = {"bob", "alice"}}) == Step::authenticated);

    const auto reason = [](TlsFacts facts) {
        auto script = tls_script(std::move(facts), AuthType::cert);
        CHECK(script.error() == "28000 certificate authentication failed");
        return std::string(script.login->log_reason());
    };
    CHECK(reason({.has_certificate = true, .names = {"bob"}}) == "TLS certificate name mismatch");
    CHECK(reason({}) == "TLS client certificate required");
    ClientScript plain(AuthType::cert);
    CHECK(plain.send(alice_to_app) == Step::refused);
    CHECK(plain.login->log_reason() == "TLS connection required");
}

TEST_CASE("malformed SASL messages fail the login") {
    const std::string initials[] = {sasl_initial("SCRAM-SHA-256-PLUS", "n,,n=,r=abc"), sasl_initial("SCRAM-SHA-256", ""),
                                    sasl_initial("SCRAM-SHA-256", "p=tls-unique,,n=,r=abc"), sasl_initial("", "n,,n=,r=abc"),
                                    to_message(frontend::SaslInitialResponse{"SCRAM-SHA-256", std::nullopt}),
                                    password_message("secret")};
    for (const auto& initial : initials) {
        ClientScript script(AuthType::scram_sha_256);
        script.send(alice_to_app);
        CHECK(script.send(initial) == Step::refused);
        CHECK(script.error() == "28P01 SASL authentication failed");
    }
}

TEST_CASE("an empty password has a text of its own") {
    for (const auto auth_type : {AuthType::plain, AuthType::md5}) {
        ClientScript script(auth_type);
        script.send(alice_to_app);
        CHECK(script.send(password_message("")) == Step::refused);
        CHECK(script.error() == "28P01 empty password returned by client");
    }
}

TEST_CASE("a password of 65,530 bytes works, a message of more than 65,535 is not waited for") {
    const std::string password(65'530, 'p');
    ClientScript script(AuthType::plain, password);
    script.send(alice_to_app);
    CHECK(script.send(password_message(password)) == Step::authenticated);

    ClientScript greedy(AuthType::plain);
    greedy.send(alice_to_app);
    CHECK(greedy.send(Bytes("p\0\1\0\4", 5)) == Step::refused);
    CHECK(greedy.error() == "08P01 bad packet header: '7000010004'");
}

TEST_CASE("while a password is awaited nothing else is taken") {
    const auto error_for = [](Bytes bytes) {
        ClientScript script(AuthType::plain);
        script.send(alice_to_app);
        CHECK(script.send(bytes) == Step::refused);
        return script.error();
    };
    CHECK(error_for(alice_to_app) == "08P01 client re-sent startup pkt");
    CHECK(error_for("Q") == "08P01 unknown pkt");
    CHECK(error_for(Bytes("p\0\0\0\3", 5)) == "08P01 bad packet header: '7000000003'");
    CHECK(error_for(Bytes("p\x80\0\0\0", 5)) == "08P01 bad packet header: '7080000000'");
    CHECK(error_for(Bytes("p\0\0\0\7abc", 8)) == "08P01 invalid message from client");
}

TEST_CASE("a client that leaves is closed without an answer") {
    ClientScript script(AuthType::plain);
    script.send(alice_to_app);
    const auto sent = script.output;
    CHECK(script.send(Bytes("X\0\0\0\4", 5)) == Step::close);
    CHECK(script.output == sent);

    ClientScript silent;
    CHECK(silent.send("") == Step::read);
    silent.login->on_end();
    CHECK(silent.login->next() == Step::close);
    CHECK_FALSE(silent.login->has_sent_anything());
}

TEST_CASE("auth_type any takes the database's user and asks nothing") {
    ClientScript script(AuthType::any);
    script.directory.databases["app"].forced_user = "service";
    CHECK(script.send(start_up({{"user", "whoever"}, {"database", "app"}})) == Step::authenticated);
    CHECK(script.login->result().user == "service");

    ClientScript unforced(AuthType::any);
    CHECK(unforced.send(alice_to_app) == Step::refused);
    CHECK(unforced.error() == "F0000 bouncer config error");

    ClientScript unknown(AuthType::any);
    CHECK(unknown.send(start_up({{"user", "alice"}, {"database", "nosuchdb"}})) == Step::refused);
    CHECK(unknown.error() == "3D000 no such database: nosuchdb");
}

// What only a client that has logged in hears

TEST_CASE("an unknown, disabled or closing database is told after authentication only") {
    const auto error_with = [](const std::string& password, auto change) {
        ClientScript script(AuthType::plain);
        change(script.directory);
        CHECK(script.send(alice_to_app) == Step::read);
        CHECK(script.send(password_message(password)) == Step::refused);
        return script.error();
    };
    const auto remove = [](TestDirectory& directory) { directory.databases.clear(); };
    const auto disable = [](TestDirectory& directory) { directory.databases["app"].is_disabled = true; };
    const auto shut_down = [](TestDirectory& directory) { directory.shutting_down = true; };

    CHECK(error_with("secret", remove) == "3D000 no such database: app");
    CHECK(error_with("secret", disable) == "55000 database \"app\" is disabled");
    CHECK(error_with("secret", shut_down) == "57P01 pooler is shutting down");
    CHECK(error_with("wrong", remove) == "28P01 password authentication failed");
    CHECK(error_with("wrong", disable) == "28P01 password authentication failed");
    CHECK(error_with("wrong", shut_down) == "28P01 password authentication failed");
}

TEST_CASE("a replication client logs in like others, its kind and its options are kept for its server") {
    ClientScript script;
    CHECK(script.send(start_up({{"user", "alice"}, {"database", "app"}, {"replication", "true"}, {"options", "-d 5"}})) == Step::authenticated);
    CHECK(script.login->result().parameters.replication == ReplicationKind::physical);
    CHECK(script.login->result().parameters.options == "-d 5");
    CHECK(error_of_first_bytes(start_up({{"user", "alice"}, {"replication", "perhaps"}})) == "42704 unsupported startup parameter: replication");
}

TEST_CASE("with compatible codes a refused client gets 08P01") {
    ClientScript script(AuthType::trust);
    script.rules->compat_error_codes = true;
    script.send(start_up({{"user", "alice"}, {"database", "nosuchdb"}}));
    CHECK(script.error() == "08P01 no such database: nosuchdb");
}

TEST_CASE("the login attempt is logged once, before the password is asked for") {
    ClientScript script(AuthType::plain);
    script.send(alice_to_app);
    CHECK(script.attempt_logged);
    script.attempt_logged = false;
    script.send(password_message("secret"));
    CHECK_FALSE(script.attempt_logged);
}

// The console

TEST_CASE("the console lets in admins and stats users by their names, under both of its own") {
    for (const std::string console : {"pgbouncer", "pgweir"}) {
        const auto hello = start_up({{"user", "alice"}, {"database", console}});
        ClientScript admin;
        admin.rules->admin_users = {"bob", "alice"};
        CHECK(admin.send(hello) == Step::authenticated);
        CHECK(admin.login->result().console == ConsoleRole::admin);

        ClientScript stats;
        stats.rules->stats_users = {"alice"};
        CHECK(stats.send(hello) == Step::authenticated);
        CHECK(stats.login->result().console == ConsoleRole::stats);

        ClientScript other;
        CHECK(other.send(hello) == Step::refused);
        CHECK(other.error() == "42501 not allowed");
    }
}

TEST_CASE("the console checks passwords like any database, and stays open during a shutdown") {
    ClientScript script(AuthType::plain);
    script.rules->admin_users = {"alice"};
    script.directory.shutting_down = true;
    CHECK(script.send(alice_to_console) == Step::read);
    CHECK(script.send(password_message("secret")) == Step::authenticated);

    ClientScript wrong(AuthType::plain);
    wrong.rules->admin_users = {"alice"};
    wrong.send(alice_to_console);
    CHECK(wrong.send(password_message("wrong")) == Step::refused);
}

TEST_CASE("under auth_type any everybody may look at the console and admins may order") {
    ClientScript anybody(AuthType::any);
    CHECK(anybody.send(start_up({{"user", "whoever"}, {"database", "pgbouncer"}})) == Step::authenticated);
    CHECK(anybody.login->result().console == ConsoleRole::stats);

    ClientScript admin(AuthType::any);
    admin.rules->admin_users = {"alice"};
    CHECK(admin.send(alice_to_console) == Step::authenticated);
    CHECK(admin.login->result().console == ConsoleRole::admin);
}

TEST_CASE("the OS user that runs the process is the console's admin over the Unix socket, and nowhere else") {
    const auto role = [](bool is_unix_socket, bool is_own_user, const std::string& user, const std::string& database) {
        ClientScript script(AuthType::scram_sha_256);
        script.peer.is_unix_socket = is_unix_socket;
        script.peer.is_own_user = is_own_user;
        const auto step = script.send(start_up({{"user", user}, {"database", database}}));
        return step == Step::authenticated ? script.login->result().console : ConsoleRole::none;
    };
    CHECK(role(true, true, "pgbouncer", "pgbouncer") == ConsoleRole::admin);
    CHECK(role(true, true, "pgweir", "pgweir") == ConsoleRole::admin);
    CHECK(role(false, true, "pgbouncer", "pgbouncer") == ConsoleRole::none);
    CHECK(role(true, false, "pgbouncer", "pgbouncer") == ConsoleRole::none);
    CHECK(role(true, true, "alice", "pgbouncer") == ConsoleRole::none);
    CHECK(role(true, true, "pgbouncer", "app") == ConsoleRole::none);
}

// Bytes

TEST_CASE("what comes behind the last login message is kept for the session") {
    const std::string query = to_message(frontend::PasswordMessage{"select 1"});
    ClientScript trusted(AuthType::trust);
    CHECK(trusted.send(alice_to_app + query) == Step::authenticated);
    CHECK(trusted.login->leftover() == query);

    ClientScript asked(AuthType::plain);
    CHECK(asked.send(alice_to_app + password_message("secret") + query) == Step::authenticated);
    CHECK(asked.login->leftover() == query);
}

TEST_CASE("a start-up packet cut anywhere gives the same outcome") {
    const std::string packets[] = {alice_to_app, cancel_request, alice_to_console, "GET / HTTP/1.1",
                                   start_up({{"user", "alice"}, {"geqo", "x"}}), alice_to_app + password_message("secret")};
    for (const auto& bytes : packets) {
        ClientScript whole(AuthType::plain);
        const auto step = whole.send(bytes);
        for (std::size_t at = 0; at <= bytes.size(); ++at) {
            ClientScript cut(AuthType::plain);
            CHECK(cut.send_cut(bytes, at) == step);
            CHECK(cut.output == whole.output);
            CHECK(cut.admissions == whole.admissions);
        }
    }
}

TEST_CASE("a login can be refused from outside at any time") {
    ClientScript script(AuthType::plain);
    script.send(alice_to_app);
    script.login->refuse(Fault::client_login_timeout);
    CHECK(script.login->next() == Step::refused);
    CHECK(error_in(script.login->output()) == "57014 client_login_timeout");
}

}  // namespace pgweir::test
