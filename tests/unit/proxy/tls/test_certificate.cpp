#include "tests/unit/proxy/tls/test_certificate.hpp"

#include <cassert>
#include <string_view>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace pgweir::test {
namespace {

KeyPtr make_key(std::string_view algorithm) {
    if (algorithm == "RSA") return KeyPtr(EVP_RSA_gen(2048));
    if (algorithm == "EC") return KeyPtr(EVP_EC_gen("P-256"));
    return KeyPtr(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
}

std::string text_of(BIO* bio) {
    char* data = nullptr;
    const long size = BIO_get_mem_data(bio, &data);
    return {data, static_cast<std::size_t>(size)};
}

KeyPtr parsed_key(const TestCertificate& certificate) {
    const BioPtr reader(BIO_new_mem_buf(certificate.key.data(), static_cast<int>(certificate.key.size())));
    return KeyPtr(PEM_read_bio_PrivateKey(reader.get(), nullptr, nullptr, nullptr));
}

void add_extension(X509* certificate, int kind, const std::string& value) {
    if (value.empty()) return;
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, kind, value.c_str());
    assert(extension != nullptr);
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
}

}  // namespace

TestCertificate make_certificate(const CertificateWishes& wishes) {
    const KeyPtr key = make_key(wishes.algorithm);
    const CertificatePtr certificate(X509_new());
    X509_set_version(certificate.get(), X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), 1);
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), -2L * 86'400);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), wishes.days * 86'400L);
    X509_set_pubkey(certificate.get(), key.get());
    X509_NAME* name = X509_get_subject_name(certificate.get());
    if (!wishes.common_name.empty())
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(wishes.common_name.data()),
                                   static_cast<int>(wishes.common_name.size()), -1, 0);
    const CertificatePtr issuer = wishes.issuer != nullptr ? parsed(*wishes.issuer) : nullptr;
    const KeyPtr issuer_key = wishes.issuer != nullptr ? parsed_key(*wishes.issuer) : nullptr;
    X509_set_issuer_name(certificate.get(), issuer ? X509_get_subject_name(issuer.get()) : name);
    add_extension(certificate.get(), NID_subject_alt_name, wishes.alternatives);
    add_extension(certificate.get(), NID_basic_constraints, wishes.is_authority ? "critical,CA:TRUE" : "");
    const bool has_hash = std::string_view(wishes.algorithm) != "ED25519";
    [[maybe_unused]] const int signed_bytes = X509_sign(certificate.get(), issuer_key ? issuer_key.get() : key.get(), has_hash ? EVP_sha256() : nullptr);
    assert(signed_bytes > 0);

    const BioPtr pem(BIO_new(BIO_s_mem()));
    const BioPtr key_pem(BIO_new(BIO_s_mem()));
    PEM_write_bio_X509(pem.get(), certificate.get());
    PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return {text_of(pem.get()), text_of(key_pem.get())};
}

CertificatePtr parsed(const TestCertificate& certificate) {
    const BioPtr reader(BIO_new_mem_buf(certificate.pem.data(), static_cast<int>(certificate.pem.size())));
    return CertificatePtr(PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr));
}

TlsSettings clients_tls() {
    Settings settings;
    settings.client_tls_sslmode = TlsMode::require;
    settings.client_tls_cert_file = "c.crt";
    settings.client_tls_key_file = "c.key";
    return client_tls(settings);
}

TlsSettings servers_tls() {
    Settings settings;
    settings.server_tls_sslmode = TlsMode::require;
    return server_tls(settings);
}

TlsFiles files_of(const TestCertificate& certificate) { return {.ca = {}, .certificate = certificate.pem, .key = certificate.key}; }

}  // namespace pgweir::test
