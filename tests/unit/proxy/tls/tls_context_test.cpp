#include "proxy/tls/tls_context.hpp"

#include "tests/support/catch.hpp"
#include "tests/unit/proxy/tls/test_certificate.hpp"

namespace pgweir::test {
namespace {

std::string error_of(const TlsSettings& settings, const TlsFiles& files) {
    try {
        const TlsContext context(settings, files);
        return {};
    } catch (const TlsSetupError& error) {
        return error.what();
    }
}

}  // namespace

TEST_CASE("a certificate and its key make a context") {
    for (const auto* algorithm : {"EC", "RSA", "ED25519"}) {
        CAPTURE(algorithm);
        CHECK(error_of(clients_tls(), files_of(make_certificate({.algorithm = algorithm}))).empty());
    }
    const TlsContext context(clients_tls(), files_of(make_certificate({.days = -1})));
    CHECK(context.has_expired());
    CHECK_FALSE(context.has_slow_key());
}

TEST_CASE("what is wrong with a file is told by its setting") {
    const auto good = make_certificate();
    const auto other = make_certificate();
    auto settings = clients_tls();
    CHECK(error_of(settings, {.ca = {}, .certificate = "nonsense", .key = good.key}) == "cannot use client_tls_cert_file \"c.crt\": no start line");
    CHECK(error_of(settings, {.ca = {}, .certificate = good.pem, .key = "nonsense"}).starts_with("cannot use client_tls_key_file \"c.key\""));
    CHECK(error_of(settings, {.ca = {}, .certificate = good.pem, .key = other.key}) == "cannot use client_tls_key_file \"c.key\": key values mismatch");
    settings.ca_file = "ca.crt";
    CHECK(error_of(settings, {.ca = "nonsense", .certificate = good.pem, .key = good.key}) == "cannot use client_tls_ca_file \"ca.crt\": no start line");
    CHECK(error_of(settings, {.ca = good.pem + other.pem, .certificate = good.pem, .key = good.key}).empty());
}

TEST_CASE("a file that breaks off in the middle of a certificate is refused") {
    const auto good = make_certificate();
    const auto chain = good.pem + make_certificate().pem;
    for (const std::size_t cut : {good.pem.size() + 40, good.pem.size() + 200, chain.size() - 10}) {
        CAPTURE(cut);
        CHECK_FALSE(error_of(clients_tls(), {.ca = {}, .certificate = chain.substr(0, cut), .key = good.key}).empty());
    }
}

TEST_CASE("what the library does not know is told by its setting") {
    const auto files = files_of(make_certificate());
    auto settings = clients_tls();
    settings.ciphers = "NONSENSE";
    CHECK(error_of(settings, files) == "invalid client_tls_ciphers: NONSENSE");
    settings = clients_tls();
    settings.ecdhcurve = "nonsense";
    CHECK(error_of(settings, files) == "invalid client_tls_ecdhcurve: nonsense");
    settings = clients_tls();
    settings.tls13_ciphers = "nonsense";
    CHECK(error_of(settings, files) == "failed to set the TLSv1.3 cipher suites");
    settings = clients_tls();
    settings.ciphers = "ECDHE-ECDSA-AES256-GCM-SHA384";
    settings.ecdhcurve = "secp384r1";
    settings.tls13_ciphers = "TLS_AES_256_GCM_SHA384";
    CHECK(error_of(settings, files).empty());
}

}  // namespace pgweir::test
