// Certificates made for a test: signed by themselves or by each other, in PEM.
#pragma once

#include <string>

#include "proxy/tls/tls_context.hpp"

namespace pgweir::test {

struct TestCertificate {
    std::string pem;
    std::string key;
};

struct CertificateWishes {
    const TestCertificate* issuer = nullptr;    // none: signed by itself
    std::string common_name = "localhost";
    std::string alternatives{};             // "DNS:a.example,IP:10.0.0.1"; empty: none
    const char* algorithm = "EC";           // "EC" (P-256), "RSA" (2,048 bits), "ED25519"
    int days = 1;
    bool is_authority = false;              // may sign others
};

TestCertificate make_certificate(const CertificateWishes& wishes = {});
CertificatePtr parsed(const TestCertificate& certificate);

TlsSettings clients_tls();
TlsSettings servers_tls();
TlsFiles files_of(const TestCertificate& certificate);

}  // namespace pgweir::test
