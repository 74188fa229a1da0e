#include "proxy/tls/certificate.hpp"

#include "protocol/scram/digest.hpp"
#include "tests/support/catch.hpp"
#include "tests/unit/proxy/tls/test_certificate.hpp"

namespace pgweir::test {
namespace {

bool fits(const CertificateWishes& wishes, const std::string& host) {
    return is_for_host(parsed(make_certificate(wishes)).get(), host);
}

std::vector<std::string> names(const CertificateWishes& wishes) { return names_in(parsed(make_certificate(wishes)).get()); }

}  // namespace

TEST_CASE("a certificate is for the hosts that its alternative names list") {
    const CertificateWishes wishes{.common_name = "ignored.example", .alternatives = "DNS:db.example,DNS:*.pool.example,IP:10.0.0.7,IP:::1"};
    CHECK(fits(wishes, "db.example"));
    CHECK(fits(wishes, "DB.Example"));
    CHECK(fits(wishes, "one.pool.example"));
    CHECK(fits(wishes, "10.0.0.7"));
    CHECK(fits(wishes, "::1"));
    for (const auto* host : {"ignored.example", "example", "a.b.pool.example", "pool.example", "db.example.evil", "10.0.0.8", "::2", ""}) {
        CAPTURE(host);
        CHECK_FALSE(fits(wishes, host));
    }
}

TEST_CASE("the common name counts only where there are no alternative names") {
    CHECK(fits({.common_name = "db.example"}, "db.example"));
    CHECK(fits({.common_name = "10.0.0.7"}, "10.0.0.7"));
    CHECK_FALSE(fits({.common_name = "10.0.0.7"}, "10.0.0.8"));
    CHECK_FALSE(fits({.common_name = "10.0.0.7", .alternatives = "DNS:db.example"}, "10.0.0.7"));
    CHECK_FALSE(fits({.common_name = "d*.example"}, "db.example"));
}

TEST_CASE("the names of a client's certificate are its common name and its alternatives") {
    CHECK(names({.common_name = "alice", .alternatives = "DNS:a.example,email:a@b.example,IP:10.0.0.7"}) ==
          std::vector<std::string>{"alice", "a.example", "a@b.example"});
    CHECK(names({.common_name = "alice"}) == std::vector<std::string>{"alice"});
    CHECK(names({.common_name = ""}).empty());
    CHECK(names({.common_name = std::string("alice\0.evil", 11)}).empty());
}

TEST_CASE("channel binding data are the hash of the certificate, by its signature's own") {
    const auto pair = make_certificate();
    const auto certificate = parsed(pair);
    unsigned char* der = nullptr;
    const int size = i2d_X509(certificate.get(), &der);
    const std::string bytes(reinterpret_cast<char*>(der), static_cast<std::size_t>(size));
    OPENSSL_free(der);
    CHECK(end_point_of(certificate.get()) == as_bytes(sha256(bytes)));
    CHECK(end_point_of(parsed(make_certificate({.algorithm = "ED25519"})).get()).empty());
}

TEST_CASE("an expired certificate is known") {
    CHECK_FALSE(is_expired(parsed(make_certificate()).get()));
    CHECK(is_expired(parsed(make_certificate({.days = -1})).get()));
}

}  // namespace pgweir::test
