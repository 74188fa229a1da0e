#include "routing/tls_settings.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

TlsSettings clients_with(std::string ciphers, std::string protocols = "secure", std::string curve = "auto") {
    return {.side = TlsLegSide::clients,
            .mode = TlsMode::require,
            .ca_file = {},
            .cert_file = "c",
            .key_file = "k",
            .protocols = std::move(protocols),
            .ciphers = std::move(ciphers),
            .tls13_ciphers = {},
            .ecdhcurve = std::move(curve),
            .dheparams = "auto"};
}

}  // namespace

TEST_CASE("TLS versions are named, listed and taken away") {
    CHECK(parse_tls_protocols("secure") == TlsProtocols{.v1_2 = true, .v1_3 = true});
    CHECK(parse_tls_protocols("default") == parse_tls_protocols("secure"));
    CHECK(parse_tls_protocols("all") == TlsProtocols{true, true, true, true});
    CHECK(parse_tls_protocols("TLSv1.2") == TlsProtocols{.v1_2 = true});
    CHECK(parse_tls_protocols("tlsv1.0, tlsv1.1") == TlsProtocols{.v1_0 = true, .v1_1 = true});
    CHECK(parse_tls_protocols("tlsv1.2:tlsv1.3") == parse_tls_protocols("secure"));
    CHECK(parse_tls_protocols("all,!tlsv1.0") == TlsProtocols{.v1_1 = true, .v1_2 = true, .v1_3 = true});
    CHECK(parse_tls_protocols("!tlsv1.3") == TlsProtocols{.v1_0 = true, .v1_1 = true, .v1_2 = true});
}

TEST_CASE("unknown TLS versions, and none at all, are refused") {
    for (const auto* text : {"", "tlsv1.4", "ssl3", ",secure", "secure,!secure", "!", "tlsv1.2 tlsv1.3"}) {
        CAPTURE(text);
        CHECK_FALSE(parse_tls_protocols(text));
    }
}

TEST_CASE("PgBouncer's words for ciphers mean the library's own list") {
    for (const auto* word : {"default", "secure", "fast", "normal", "Secure", ""}) CHECK(tls_cipher_list(clients_with(word)).empty());
    CHECK(tls_cipher_list(clients_with("all")) == "ALL");
    CHECK(tls_cipher_list(clients_with("HIGH:!aNULL")) == "HIGH:!aNULL");
}

TEST_CASE("old TLS versions and a lack of curves change the ciphers that are offered") {
    CHECK(tls_cipher_list(clients_with("default", "all")) == "DEFAULT:@SECLEVEL=0");
    CHECK(tls_cipher_list(clients_with("HIGH:@SECLEVEL=1", "tlsv1.1")) == "HIGH:@SECLEVEL=1");
    CHECK(tls_cipher_list(clients_with("default", "secure", "none")) == "DEFAULT:!kECDHE");
    CHECK(tls_curve_list(clients_with("default", "secure", "none")).empty());
    CHECK(tls_curve_list(clients_with("default", "secure", "auto")).empty());
    CHECK(tls_curve_list(clients_with("default", "secure", "P-384")) == "P-384");
}

TEST_CASE("the system's CAs check servers only, and only where that was asked for") {
    TlsSettings servers = clients_with("default");
    servers.side = TlsLegSide::servers;
    servers.mode = TlsMode::verify_full;
    CHECK(uses_system_cas(servers));
    servers.ca_file = "ca.crt";
    CHECK_FALSE(uses_system_cas(servers));
    servers.ca_file = "system";
    CHECK(uses_system_cas(servers));
    servers.mode = TlsMode::verify_ca;
    servers.ca_file.clear();
    CHECK_FALSE(uses_system_cas(servers));

    TlsSettings clients = clients_with("default");
    clients.ca_file = "system";
    CHECK_FALSE(uses_system_cas(clients));
}

}  // namespace pgweir::test
