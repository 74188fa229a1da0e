// Protocol 3.0 and 3.2 on both legs: what is negotiated, and how long cancel keys are then.
#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/negotiate_protocol_version.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/cancel_secret.hpp"
#include "routing/cancel_keys.hpp"
#include "routing/server_login.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/routing/login_script.hpp"

namespace pgweir::test {
namespace {

constexpr ProtocolVersion protocol_3_1{3 << 16 | 1};
constexpr ProtocolVersion protocol_3_3{3 << 16 | 3};
constexpr ProtocolVersion protocol_3_9999{3 << 16 | 9999};

// What a client is told that asks for this version, with or without an option that nobody knows.
struct Told {
    std::string output;
    ProtocolVersion spoken;
};

Told told(ProtocolVersion asked, const ParameterList& options = {}) {
    ParameterList parameters{{"user", "alice"}, {"database", "app"}};
    parameters.insert(parameters.end(), options.begin(), options.end());
    ClientScript script;
    CHECK(script.send(start_up(parameters, asked)) == ClientLogin::Step::authenticated);
    return {script.output, script.login->result().protocol};
}

std::string negotiation(ProtocolVersion newest, const std::vector<Bytes>& unknown = {}) {
    NameListBuilder names;
    for (const Bytes name : unknown) names.add(name);
    return to_message(backend::NegotiateProtocolVersion{newest, names.view()});
}

const std::string ok = to_message(backend::AuthenticationOk{});
const std::string ready = to_message(backend::ReadyForQuery{backend::TransactionStatus::idle});

std::string key_of(std::size_t secret_bytes) { return to_message(backend::BackendKeyData{7, std::string(secret_bytes, 'k')}); }

std::string refusal(Bytes sqlstate) {
    backend::ErrorFieldsBuilder fields;
    fields.add({'S', "FATAL"}).add({'C', sqlstate}).add({'M', "no"});
    return to_message(backend::ErrorResponse{fields.view()});
}

// A login to a server that sends these bytes.
struct ServerAnswer {
    RepeatableRandom random;
    ServerLogin login;

    explicit ServerAnswer(Bytes bytes, ProtocolVersion asked = protocol_newest)
        : login({.user = "alice", .database = "app", .parameters = {}, .secret = {}, .scram_keys = {}, .protocol = asked}, random) {
        if (!bytes.empty()) login.on_bytes(bytes);
    }
};

ServerLogin::Step step_after(Bytes bytes, ProtocolVersion asked = protocol_newest) { return ServerAnswer(bytes, asked).login.next(); }

}  // namespace

TEST_CASE("a client gets the version it asks for, and is told of it only when that is not the one it gets") {
    for (const auto version : {protocol_3_0, protocol_3_1, protocol_3_2}) {
        CHECK(told(version).output.empty());
        CHECK(told(version).spoken == version);
    }
    for (const auto version : {protocol_3_3, protocol_3_9999}) {
        CHECK(told(version).output == negotiation(protocol_3_2));
        CHECK(told(version).spoken == protocol_3_2);
    }
}

TEST_CASE("an option that nobody knows is named in one message, with the version that is spoken") {
    CHECK(told(protocol_3_0, {{"_pq_.x", "1"}}).output == negotiation(protocol_3_0, {"_pq_.x"}));
    CHECK(told(protocol_3_2, {{"_pq_.x", "1"}, {"_pq_.y", ""}}).output == negotiation(protocol_3_2, {"_pq_.x", "_pq_.y"}));
    CHECK(told(protocol_3_9999, {{"_pq_.x", "1"}}).output == negotiation(protocol_3_2, {"_pq_.x"}));
}

TEST_CASE("cancel keys have 4 secret bytes, and 32 for clients that can take them") {
    RepeatableRandom random;
    CancelKeys keys(random);
    CHECK(keys.issue({.session = {1, 1}, .worker = 0}, protocol_3_0).size() == 4 + 4);
    CHECK(keys.issue({.session = {1, 2}, .worker = 0}, protocol_3_1).size() == 4 + 4);
    CHECK(keys.issue({.session = {1, 3}, .worker = 0}, protocol_3_2).size() == 4 + 32);
}

TEST_CASE("a cancel key is found whole, and no part of it, nor more than it") {
    RepeatableRandom random;
    CancelKeys keys(random);
    for (const auto version : {protocol_3_0, protocol_3_2}) {
        const auto key = keys.issue({.session = {7, 1}, .worker = 3}, version);
        CHECK(keys.find(key).session == SessionId{7, 1});
        CHECK(keys.find(key).worker == 3);
        for (std::size_t length = 0; length < key.size(); ++length) CHECK_FALSE(keys.find(Bytes(key).substr(0, length)));
        CHECK_FALSE(keys.find(key + 'k'));
        for (std::size_t at = 0; at < key.size(); ++at) {
            auto other = key;
            other[at] = static_cast<char>(other[at] ^ 1);
            CHECK_FALSE(keys.find(other));
        }
        keys.revoke(key);
        CHECK_FALSE(keys.find(key));
    }
}

TEST_CASE("servers are asked for 3.2, and speak that or what they name instead") {
    CHECK(ServerAnswer("").login.output() == start_up({{"user", "alice"}, {"database", "app"}}, protocol_3_2));
    CHECK(step_after(ok + key_of(32) + ready) == ServerLogin::Step::ready);
    CHECK(step_after(negotiation(protocol_3_0) + ok + key_of(4) + ready) == ServerLogin::Step::ready);
    CHECK(step_after(ok + key_of(4) + ready, protocol_3_0) == ServerLogin::Step::ready);
}

TEST_CASE("a server's key is kept whole, at any length that its version allows") {
    for (const std::size_t bytes : {4u, 32u, 256u}) {
        const ServerAnswer answer(ok + key_of(bytes) + ready);
        CHECK(answer.login.cancel_key() == std::string("\0\0\0\7", 4) + std::string(bytes, 'k'));
    }
    for (const std::size_t bytes : {0u, 3u, 257u, 5000u}) CHECK(step_after(ok + key_of(bytes)) == ServerLogin::Step::failed);
    for (const std::size_t bytes : {3u, 5u, 32u}) {
        CHECK(step_after(negotiation(protocol_3_0) + ok + key_of(bytes)) == ServerLogin::Step::failed);
        CHECK(step_after(ok + key_of(bytes), protocol_3_0) == ServerLogin::Step::failed);
    }
}

TEST_CASE("a negotiation that makes no sense fails the login") {
    const auto failed = ServerLogin::Step::failed;
    CHECK(step_after(negotiation(protocol_3_2)) == failed);                                    // no change
    CHECK(step_after(negotiation(protocol_3_3)) == failed);                                    // more than was asked for
    CHECK(step_after(negotiation(protocol_2_0)) == failed);
    CHECK(step_after(negotiation({0})) == failed);
    CHECK(step_after(negotiation(protocol_3_0, {"_pq_.x"})) == failed);                        // nobody asked for that
    CHECK(step_after(negotiation(protocol_3_0), protocol_3_0) == failed);
    CHECK(step_after(negotiation(protocol_3_0) + negotiation(protocol_3_0)) == failed);        // twice
    CHECK(step_after(ok + negotiation(protocol_3_0)) == failed);                               // late
    CHECK(step_after(Bytes("v\0\0\0\x08\0\3\0\0", 9)) == failed);
}

TEST_CASE("a server that knows no negotiation is told from one that refuses the login") {
    CHECK(ServerAnswer(refusal("0A000")).login.is_version_refused());
    CHECK(ServerAnswer(refusal("08P01")).login.is_version_refused());
    CHECK_FALSE(ServerAnswer(refusal("28000")).login.is_version_refused());
    CHECK_FALSE(ServerAnswer(refusal("0A000"), protocol_3_0).login.is_version_refused());
    CHECK_FALSE(ServerAnswer(ok + refusal("0A000")).login.is_version_refused());
    CHECK_FALSE(ServerAnswer(negotiation(protocol_3_0) + refusal("0A000")).login.is_version_refused());

    ServerAnswer hangs_up("");
    hangs_up.login.on_end();
    CHECK(hangs_up.login.is_version_refused());
    ServerAnswer hangs_up_later(ok);
    hangs_up_later.login.on_end();
    CHECK_FALSE(hangs_up_later.login.is_version_refused());
    CHECK_FALSE(ServerAnswer("HTTP/1.1 400 Bad Request\r\n").login.is_version_refused());
}

}  // namespace pgweir::test
