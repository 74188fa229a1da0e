#include "protocol/scram/base64.hpp"
#include "protocol/scram/digest.hpp"
#include "protocol/scram/scram_client.hpp"
#include "protocol/scram/scram_server.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"

namespace pgweir::test {
namespace {

// The exchange of RFC 7677, section 3.
const std::string rfc_salt = *base64_decode("W22ZaJ0SNY7soEsUEjb6gQ==");
const std::string rfc_client_nonce = "rOprNGfwEbeRWgbNEkqO";
const std::string rfc_server_nonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
const std::string rfc_client_first = "n,,n=user,r=" + rfc_client_nonce;
const std::string rfc_client_final = "c=biws,r=" + rfc_client_nonce + rfc_server_nonce;
const std::string rfc_proof = ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";

ScramKeys rfc_keys() {
    static const auto keys = derive_scram_keys({"pencil", rfc_salt, 4096});
    return keys;
}

ScramServer rfc_server() { return ScramServer(rfc_salt, 4096, rfc_server_nonce); }

std::optional<std::string> finish(ScramServer& server, const ScramKeys& keys) {
    return server.finish(stored_key_of(keys.client_key), keys.server_key);
}

// A server that has sent its first message.
ScramServer begun_server() {
    auto server = rfc_server();
    REQUIRE(server.first(rfc_client_first));
    return server;
}

struct Exchange {
    ScramClient client{"client-nonce"};
    ScramServer server{"salt of 16 bytes", 2, "server-nonce"};

    // The client's proof, as the server reads it.
    Result<void> run(const ScramKeys& client_keys) {
        const auto server_first = server.first(client.first());
        REQUIRE(server_first);
        REQUIRE(client.take_server_first(*server_first));
        return server.take_final(client.final_message(client_keys));
    }
};

}  // namespace

TEST_CASE("a keyed hash is RFC 4231's, with keys below, at and above a block") {
    const auto hex = [](const Sha256Digest& digest) {
        std::string text;
        for (const auto byte : digest) {
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 15];
        }
        return text;
    };
    CHECK(hex(hmac_sha256("Jefe", "what do ya want for nothing?")) == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(hex(hmac_sha256(std::string(64, '\xaa'), "")) == "db2cf93f633fcdfd9bb7f3b99763a63725cb8e38b4fa60a87d0e94b71d8b5970");
    CHECK(hex(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("the SCRAM server plays its part in the exchange of RFC 7677") {
    auto server = rfc_server();
    const auto server_first = server.first(rfc_client_first);
    REQUIRE(server_first);
    CHECK(*server_first == "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
    REQUIRE(server.take_final(rfc_client_final + rfc_proof));
    CHECK(finish(server, rfc_keys()) == "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=");
}

TEST_CASE("a SCRAM client and server agree, and the server learns the client's keys") {
    Exchange exchange;
    const auto keys = derive_scram_keys({"pencil", exchange.server.salt(), 2});
    REQUIRE(exchange.run(keys));
    const auto server_final = finish(exchange.server, keys);
    REQUIRE(server_final);
    CHECK(exchange.client.accepts(*server_final));
    CHECK(exchange.server.proven_keys() == keys);
}

TEST_CASE("the client learns salt and iterations from the server") {
    Exchange exchange;
    REQUIRE(exchange.run({}));
    CHECK(exchange.client.salt() == "salt of 16 bytes");
    CHECK(exchange.client.iterations() == 2);
}

TEST_CASE("a wrong password fails the proof and gives no keys") {
    Exchange exchange;
    REQUIRE(exchange.run(derive_scram_keys({"Pencil", exchange.server.salt(), 2})));
    CHECK_FALSE(finish(exchange.server, derive_scram_keys({"pencil", exchange.server.salt(), 2})));
    CHECK_FALSE(exchange.server.proven_keys());
}

TEST_CASE("a client finds out a server that has only the StoredKey") {
    Exchange exchange;
    const auto keys = derive_scram_keys({"pencil", exchange.server.salt(), 2});
    REQUIRE(exchange.run(keys));
    const auto server_final = exchange.server.finish(stored_key_of(keys.client_key), Sha256Digest{});
    REQUIRE(server_final);
    CHECK_FALSE(exchange.client.accepts(*server_final));
    CHECK_FALSE(exchange.client.accepts(""));
    CHECK_FALSE(exchange.client.accepts("e=other-error"));
}

TEST_CASE("an exchange that is bound to a channel succeeds on that channel only") {
    const auto keys = derive_scram_keys({"pencil", "salt of 16 bytes", 2});
    const auto run = [&](const std::string& clients_end, const std::string& servers_end) {
        ScramClient client("client-nonce", ScramBinding::bound, clients_end);
        ScramServer server("salt of 16 bytes", 2, "server-nonce", servers_end);
        CHECK(client.mechanism() == "SCRAM-SHA-256-PLUS");
        const auto server_first = server.first(client.first(), client.mechanism());
        if (!server_first) return false;
        REQUIRE(client.take_server_first(*server_first));
        if (!server.take_final(client.final_message(keys))) return false;
        const auto server_final = finish(server, keys);
        return server_final && client.accepts(*server_final);
    };
    CHECK(run("certificate hash", "certificate hash"));
    CHECK_FALSE(run("certificate hash", "another's hash"));
    CHECK_FALSE(run("certificate hash", ""));
    CHECK_FALSE(run("", "certificate hash"));
}

TEST_CASE("mechanism and header of a client have to fit each other and the offer") {
    const auto accepts = [](Bytes header, Bytes mechanism, const std::string& binding) {
        return ScramServer(rfc_salt, 4096, rfc_server_nonce, binding).first(std::string(header) + "n=user,r=abc", mechanism).has_value();
    };
    const Bytes bound = "p=tls-server-end-point,,";
    CHECK(accepts(bound, scram_plus_mechanism, "hash"));
    CHECK(accepts("n,,", scram_mechanism, "hash"));
    CHECK(accepts("y,,", scram_mechanism, ""));
    CHECK_FALSE(accepts("y,,", scram_mechanism, "hash"));    // somebody has taken the offer away
    CHECK_FALSE(accepts("n,,", scram_plus_mechanism, "hash"));
    CHECK_FALSE(accepts("y,,", scram_plus_mechanism, "hash"));
    CHECK_FALSE(accepts(bound, scram_mechanism, "hash"));
    CHECK_FALSE(accepts(bound, scram_plus_mechanism, ""));
    CHECK_FALSE(accepts("p=tls-unique,,", scram_plus_mechanism, "hash"));
}

TEST_CASE("a client that could bind to a channel but was not offered it is let in") {
    auto server = rfc_server();
    REQUIRE(server.first("y,,n=user,r=abc"));
    CHECK(server.take_final("c=" + base64_encode("y,,") + ",r=abc" + rfc_server_nonce + rfc_proof));
}

TEST_CASE("malformed first messages of a client are refused") {
    for (const Bytes message :
         {"", "n", "n,", "n,,", "p=tls-server-end-point,,n=user,r=abc", "n,a=other,n=user,r=abc", "x,,n=user,r=abc",
          "n,,m=ext,n=user,r=abc", "n,,r=abc", "n,,n=user", "n,,n=user,r=", "n,,n=user,,r=abc", "n,,r=abc,n=user",
          "n,,n=user,r=a\x01", "n,,n=user,r=a\x80", "n,,n=user;r=abc", "N,,n=user,r=abc"})
        CHECK(rfc_server().first(message).error() == ProtocolError::bad_sasl);
    CHECK(rfc_server().first(Bytes("n,,n=user,r=a\0b", 15)).error() == ProtocolError::bad_sasl);
}

TEST_CASE("malformed final messages of a client are refused") {
    const std::string good_nonce = ",r=" + rfc_client_nonce + rfc_server_nonce;
    const std::string messages[] = {
        "",
        rfc_client_final,
        rfc_proof,
        rfc_client_final + ",p=",
        rfc_client_final + ",p=AAAA",
        rfc_client_final + ",p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVR=",
        rfc_client_final + rfc_proof + ",x=1",
        "c=biws,r=" + rfc_client_nonce + rfc_proof,
        "c=biws,r=" + rfc_server_nonce + rfc_client_nonce + rfc_proof,
        "c=eSws" + good_nonce + rfc_proof,
        "c=" + good_nonce + rfc_proof,
        "r=" + rfc_client_nonce + rfc_server_nonce + ",c=biws" + rfc_proof,
    };
    for (const auto& message : messages) {
        INFO(message);
        CHECK(begun_server().take_final(message).error() == ProtocolError::bad_sasl);
    }
}

TEST_CASE("the proof covers every byte of the client's messages") {
    const auto proof_holds = [](const std::string& client_first, const std::string& extension) {
        auto server = rfc_server();
        return server.first(client_first) && server.take_final(rfc_client_final + extension + rfc_proof) &&
               finish(server, rfc_keys());
    };
    CHECK(proof_holds(rfc_client_first, ""));
    CHECK_FALSE(proof_holds(rfc_client_first, ",x=1"));
    CHECK_FALSE(proof_holds("n,,n=users,r=" + rfc_client_nonce, ""));
    CHECK_FALSE(proof_holds("n,,n=user,r=" + rfc_client_nonce + ",x=1", ""));
}

TEST_CASE("malformed first messages of a server are refused") {
    const std::string nonce = "r=client-nonce";
    CHECK(ScramClient("client-nonce").take_server_first(nonce + "x,s=c2FsdA==,i=4096"));
    for (const std::string& message : std::initializer_list<std::string>{
             "", nonce + "x", nonce + ",s=c2FsdA==,i=4096", "r=other,s=c2FsdA==,i=4096", nonce + "x,s=,i=4096",
             nonce + "x,s=*,i=4096", nonce + "x,s=c2FsdA==,i=0", nonce + "x,s=c2FsdA==,i=-1", nonce + "x,s=c2FsdA==,i=",
             nonce + "x,s=c2FsdA==,i=4096x", nonce + "x,s=c2FsdA==,i=99999999999", nonce + "x,s=c2FsdA==,i=2000000000",
             nonce + "x,i=4096,s=c2FsdA==", "m=ext," + nonce + "x,s=c2FsdA==,i=4096"}) {
        INFO(message);
        CHECK(ScramClient("client-nonce").take_server_first(message).error() == ProtocolError::bad_sasl);
    }
}

TEST_CASE("a stored SCRAM secret survives reading and writing") {
    const std::string text = "SCRAM-SHA-256$4096:D76gvGUVj9Z4DNiGoabOBg==$RukL0Xo3Ql/2F9FsD7mcQ3GATG2fD3PA71qY1JagGDs=:"
                             "BhKUwyyivFm7Tq2jDJVXSVRbRDgTWyBilZKgg6DDuYU=";
    const auto secret = ScramSecret::parse(text);
    REQUIRE(secret);
    CHECK(secret->iterations == 4096);
    CHECK(secret->format() == text);
}

TEST_CASE("a stored SCRAM secret recognises the keys of its own password") {
    const ScramDerivation derivation{"pencil", "0123456789abcdef", 2};
    const auto keys = derive_scram_keys(derivation);
    const auto secret = make_scram_secret(derivation, keys);
    CHECK(ScramSecret::parse(secret.format()) == secret);
    CHECK(matches(secret, keys));
    CHECK_FALSE(matches(secret, derive_scram_keys({"pencils", "0123456789abcdef", 2})));
}

TEST_CASE("what is not wholly a SCRAM secret is none") {
    const std::string stored_key = "RukL0Xo3Ql/2F9FsD7mcQ3GATG2fD3PA71qY1JagGDs=";
    const std::string begin = "SCRAM-SHA-256$";
    for (const std::string& text : std::initializer_list<std::string>{
             "", "secret", begin, begin + "4096:c2FsdA==$" + stored_key,
             begin + "0:c2FsdA==$" + stored_key + ":" + stored_key, begin + "-1:c2FsdA==$" + stored_key + ":" + stored_key,
             begin + "4096:$" + stored_key + ":" + stored_key, begin + "4096:c2FsdA==$AAAA:" + stored_key,
             begin + "4096:c2FsdA==$" + stored_key + ":AAAA", begin + "4096:c2FsdA==$" + stored_key + ":" + stored_key + "\n",
             "scram-sha-256$4096:c2FsdA==$" + stored_key + ":" + stored_key}) {
        INFO(text);
        CHECK_FALSE(ScramSecret::parse(text));
    }
}

TEST_CASE("a made-up salt is stable, depends on the name, and on a key that strangers lack") {
    const auto salt = scram_salt_for("alice", "key");
    CHECK(salt.size() == scram_salt_bytes);
    CHECK(salt == scram_salt_for("alice", "key"));
    CHECK(salt != scram_salt_for("bob", "key"));
    CHECK(salt != scram_salt_for("alice", "other key"));
}

TEST_CASE("comparison in constant time is still a comparison") {
    CHECK(equal_in_constant_time("", ""));
    CHECK(equal_in_constant_time("abc", "abc"));
    CHECK_FALSE(equal_in_constant_time("abc", "abd"));
    CHECK_FALSE(equal_in_constant_time("abc", "ab"));
    CHECK_FALSE(equal_in_constant_time("ab", "abc"));
    CHECK_FALSE(equal_in_constant_time("", "a"));
}

}  // namespace pgweir::test
