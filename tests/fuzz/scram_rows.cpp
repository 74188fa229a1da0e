// Each message of a SCRAM exchange, at the state in which it is read.
#include "protocol/scram/scram_client.hpp"
#include "protocol/scram/scram_secret.hpp"
#include "protocol/scram/scram_server.hpp"
#include "tests/fuzz/parsers.hpp"

namespace pgweir::test {
namespace {

constexpr const char* client_nonce = "abcdefgh";
constexpr const char* server_nonce = "ijklmnop";
const ScramDerivation derivation{"secret", "salt", 1};

const ScramKeys& keys() {
    static const ScramKeys derived = derive_scram_keys(derivation);
    return derived;
}

ScramServer server() { return {derivation.salt, derivation.iterations, server_nonce}; }

void fuzz_client_first(Bytes bytes) {
    auto side = server();
    const auto answer = side.first(bytes);
    if (!answer) return;
    ScramClient client(client_nonce);
    const auto taken = client.take_server_first(*answer);
    if (taken) require(client.salt() == derivation.salt && client.iterations() == derivation.iterations, "the answer says what we said");
}

void fuzz_client_final(Bytes bytes) {
    auto side = server();
    ScramClient client(client_nonce);
    const auto first = side.first(client.first());
    require(first.has_value() && client.take_server_first(*first).has_value(), "an exchange of our own begins");
    const std::string right = client.final_message(keys());
    if (!side.take_final(bytes)) return;
    const bool accepted = side.finish(stored_key_of(keys().client_key), keys().server_key).has_value();
    require(accepted == (bytes == right), "only the right proof, in the right words, is accepted");
    if (accepted) require(side.proven_keys() == keys(), "and it proves the keys");
}

void fuzz_server_first(Bytes bytes) {
    ScramClient client(client_nonce);
    if (!client.take_server_first(bytes)) return;
    require(client.iterations() > 0 && client.iterations() <= scram_iterations_max, "a server may not ask for endless work");
    require(!client.salt().empty() && !client.final_message(keys()).empty(), "what was taken can be answered");
}

void fuzz_server_final(Bytes bytes) {
    auto side = server();
    ScramClient client(client_nonce);
    const auto first = side.first(client.first());
    require(first.has_value() && client.take_server_first(*first).has_value(), "an exchange of our own begins");
    require(side.take_final(client.final_message(keys())).has_value(), "its proof is read");
    const auto right = side.finish(stored_key_of(keys().client_key), keys().server_key);
    require(right.has_value(), "and accepted");
    if (client.accepts(bytes)) require(bytes.starts_with(*right), "no other signature is accepted");
}

void fuzz_secret(Bytes bytes) {
    const auto secret = ScramSecret::parse(bytes);
    if (!secret) return;
    require(ScramSecret::parse(secret->format()) == secret, "a secret that is written reads the same");
}

}  // namespace

std::vector<FuzzParser> scram_parsers() {
    const auto seeds = [](std::vector<Seed> list) { return [list] { return list; }; };
    return {
        {"scram.client_first", fuzz_client_first, seeds({{"plain", "n,,n=,r=abcdefgh"}, {"could_bind", "y,,n=a,r=x,e=f"}, {"binds", "p=tls-unique,,n=,r=x"}})},
        {"scram.client_final", fuzz_client_final, [] {
             auto side = server();
             ScramClient client(client_nonce);
             const auto first = side.first(client.first());
             if (!client.take_server_first(*first)) return std::vector<Seed>{};
             return std::vector<Seed>{{"right", client.final_message(keys())}, {"short", "c=biws,r=abcdefghijklmnop,p="}};
         }},
        {"scram.server_first", fuzz_server_first, seeds({{"plain", "r=abcdefghijkl,s=c2FsdA==,i=4096"}, {"more", "r=abcdefghi,s=AA==,i=1,x=y"}})},
        {"scram.server_final", fuzz_server_final, seeds({{"wrong", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, {"error", "e=other-error"}})},
        {"scram.secret", fuzz_secret,
         seeds({{"plain", "SCRAM-SHA-256$4096:c2FsdA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}})},
    };
}

}  // namespace pgweir::test
