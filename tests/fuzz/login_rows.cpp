// Both logins, fed with raw bytes: they end in order, and how the bytes are cut makes no difference.
#include "protocol/backend/authentication.hpp"
#include "protocol/cancel_secret.hpp"
#include "protocol/frontend/sasl_initial_response.hpp"
#include "protocol/scram/md5_password.hpp"
#include "routing/server_login.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/parsers.hpp"
#include "tests/unit/routing/login_script.hpp"

namespace pgweir::test {
namespace {

constexpr AuthType auth_types[] = {AuthType::any, AuthType::trust, AuthType::plain, AuthType::md5, AuthType::scram_sha_256};

// A secret of each kind for the password "secret" of user alice; derived once.
const std::string& stored_secret(unsigned choice) {
    static const ScramDerivation derivation{"secret", "salt of 16 bytes", 2};
    static const std::string secrets[] = {"secret", md5_secret("secret", "alice"),
                                          make_scram_secret(derivation, derive_scram_keys(derivation)).format(), ""};
    return secrets[choice % 4];
}

struct ClientOutcome {
    ClientLogin::Step step = ClientLogin::Step::read;
    Fault fault = Fault::none;
    std::string output;
    std::string user;
    std::string leftover;

    bool operator==(const ClientOutcome&) const = default;
};

ClientOutcome client_outcome(unsigned choice, const std::vector<Bytes>& pieces) {
    ClientScript script(auth_types[choice % 5], stored_secret(choice >> 3));
    script.rules->admin_users = {"alice"};
    script.rules->application_name_add_host = (choice & 32) != 0;
    script.directory.users["alice"].known = (choice & 64) != 0 ? UserKnown::ask : UserKnown::yes;
    script.auth_query["alice"] = stored_secret(choice >> 3);
    if ((choice & 128) != 0) script.directory.databases["app"].forced_user = "service";
    std::string behind;
    for (const Bytes piece : pieces) {
        if (script.login && script.login->next() != ClientLogin::Step::read)
            behind += piece;
        else
            script.send(piece);
    }
    if (!script.login) return {};
    ClientLogin& login = *script.login;
    require(login.next() != ClientLogin::Step::admit && login.next() != ClientLogin::Step::derive, "every step that was asked for was taken");
    require((login.next() == ClientLogin::Step::refused) == (login.fault() != Fault::none), "a refusal has a reason");
    if (login.next() == ClientLogin::Step::cancel)
        require(login.cancel_key().size() >= 4 + cancel_secret_min_bytes && login.cancel_key().size() <= 4 + cancel_secret_max_bytes, "a cancel has its key");
    require(login.result().protocol <= protocol_newest, "no version is promised that we do not speak");
    ClientOutcome outcome{.step = login.next(), .fault = login.fault(), .output = script.output, .user = login.user(), .leftover = {}};
    if (login.next() == ClientLogin::Step::authenticated) outcome.leftover = std::string(login.leftover()) + behind;
    if (login.next() == ClientLogin::Step::read) login.on_end();
    return outcome;
}

// A cut behind an SSLRequest is the difference between an answer and an attack.
bool depends_on_cuts(const ClientOutcome& outcome) {
    return outcome.fault == Fault::unencrypted_data_after_ssl_request || outcome.fault == Fault::unencrypted_data_after_gss_request ||
           outcome.output.starts_with('N');
}

void fuzz_client_login(Bytes bytes) {
    FuzzInput input(bytes);
    const unsigned choice = input.byte();
    const auto pieces = input.pieces();
    std::string whole;
    for (const Bytes piece : pieces) whole += piece;
    const auto cut = client_outcome(choice, pieces);
    const auto uncut = client_outcome(choice, {whole});
    if (!depends_on_cuts(cut) && !depends_on_cuts(uncut)) require(cut == uncut, "a login ends the same however its bytes are cut");
}

struct ServerOutcome {
    ServerLogin::Step step = ServerLogin::Step::read;
    std::string output, key, message, reason, leftover;
    bool version_refused = false;
    ParameterList parameters;

    bool operator==(const ServerOutcome&) const = default;
};

ServerOutcome server_outcome(unsigned choice, const std::vector<Bytes>& pieces) {
    static const ScramKeys keys = derive_scram_keys({"secret", "salt of 16 bytes", 2});
    ServerLoginRequest request{.user = "alice", .database = "app", .parameters = {}, .secret = StoredSecret(stored_secret(choice)), .scram_keys = {}};
    if ((choice & 4) != 0) request.scram_keys = keys;
    if ((choice & 8) != 0) request.protocol = protocol_3_0;
    RepeatableRandom random;
    ServerLogin login(std::move(request), random);
    ServerOutcome outcome;
    std::string behind;
    for (const Bytes piece : pieces) {
        if (login.next() != ServerLogin::Step::read) {
            behind += piece;
            continue;
        }
        login.on_bytes(piece);
        while (login.next() == ServerLogin::Step::derive) {
            require(login.derive_job().iterations <= scram_iterations_max, "a server may not ask for endless work");
            login.on_derived(keys);
        }
    }
    outcome.step = login.next();
    outcome.output = login.output();
    outcome.key = login.cancel_key();
    outcome.message = login.message();
    outcome.version_refused = login.is_version_refused();
    outcome.reason = login.reason();
    outcome.parameters = login.parameters();
    if (login.next() == ServerLogin::Step::ready) outcome.leftover = std::string(login.leftover()) + behind;
    if (login.next() == ServerLogin::Step::ready) require(login.cancel_key().size() <= 4 + cancel_secret_max_bytes, "a key is bounded");
    if (login.next() == ServerLogin::Step::failed) require(!login.reason().empty(), "a failure has a reason");
    if (login.next() == ServerLogin::Step::read) login.on_end();
    return outcome;
}

void fuzz_server_login(Bytes bytes) {
    FuzzInput input(bytes);
    const unsigned choice = input.byte();
    const auto pieces = input.pieces();
    std::string whole;
    for (const Bytes piece : pieces) whole += piece;
    require(server_outcome(choice, pieces) == server_outcome(choice, {whole}), "a login ends the same however its bytes are cut");
}

std::string client_seed(unsigned choice, const std::string& messages) {
    return static_cast<char>(choice) + std::string(one_by_one) + start_up({{"user", "alice"}, {"database", "app"}, {"options", "-c geqo=off"}}) + messages;
}

std::vector<Seed> client_seeds() {
    std::vector<Seed> seeds{{"trust", client_seed(1, "")},
                            {"plain", client_seed(2, password_message("secret"))},
                            {"plain_scram", client_seed(2 + 16, password_message("secret"))},
                            {"md5", client_seed(3, password_message("md50123456789abcdef0123456789abcdef"))},
                            {"scram", client_seed(4, to_message(frontend::SaslInitialResponse{"SCRAM-SHA-256", "n,,n=,r=abc"}) +
                                                         password_message("c=biws,r=abc,p=AAAA"))}};
    for (const auto& seed : wire_seeds("startup_packets.txt")) seeds.push_back({seed.name, '\1' + std::string(one_by_one) + seed.bytes});
    return seeds;
}

std::vector<Seed> server_seeds() {
    std::string ready;
    std::vector<Seed> seeds;
    for (const auto& seed : wire_seeds("backend_messages.txt")) {
        seeds.push_back({seed.name, std::string(1, '\0') + std::string(one_by_one) + seed.bytes});
        if (seed.name.starts_with("parameter_status") || seed.name.starts_with("backend_key_data")) ready += seed.bytes;
    }
    const std::string ok("R\0\0\0\x08\0\0\0\0", 9);
    const std::string idle("Z\0\0\0\5I", 6);
    seeds.push_back({"whole", std::string(1, '\0') + std::string(one_by_one) + ok + ready + idle});
    const std::string older("v\0\0\0\x0c\0\3\0\0\0\0\0\0", 13);
    seeds.push_back({"older_minor", std::string(1, '\0') + std::string(one_by_one) + older + ok + ready + idle});
    seeds.push_back({"asked_for_3_0", std::string(1, '\x08') + std::string(one_by_one) + ok + ready + idle});
    return seeds;
}

}  // namespace

std::vector<FuzzParser> login_parsers() {
    return {{"login.client", fuzz_client_login, client_seeds}, {"login.server", fuzz_server_login, server_seeds}};
}

}  // namespace pgweir::test
