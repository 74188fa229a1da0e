#include "proxy/tls/tls_context.hpp"

#include <fmt/format.h>

#include <openssl/pem.h>

#include "proxy/tls/certificate.hpp"

namespace pgweir {
namespace {

constexpr std::string_view alpn_protocol = "postgresql";
constexpr int slow_rsa_bits = 3072;

BioPtr reader_of(const std::string& text) { return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

// A key with a passphrase is refused: there is nobody to ask.
int no_passphrase(char*, int, int, void*) { return -1; }

[[noreturn]] void fail(TlsLegSide side, std::string_view what, const std::string& value, const std::string& reason) {
    throw TlsSetupError(fmt::format("cannot use {} \"{}\": {}", tls_setting_name(side, what), value, reason));
}

[[noreturn]] void fail_on_value(TlsLegSide side, std::string_view what, const std::string& value) {
    clear_openssl_errors();
    throw TlsSetupError(fmt::format("invalid {}: {}", tls_setting_name(side, what), value));
}

// A client that names protocols must name ours (PostgreSQL manual, "SSL Session Encryption").
int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* chosen_size, const unsigned char* offered, unsigned offered_size, void*) {
    for (unsigned at = 0; at < offered_size; at += 1u + offered[at]) {
        const std::string_view name(reinterpret_cast<const char*>(offered) + at + 1, offered[at]);
        if (at + 1 + name.size() > offered_size) break;
        if (name != alpn_protocol) continue;
        *chosen = offered + at + 1;
        *chosen_size = offered[at];
        return SSL_TLSEXT_ERR_OK;
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL;
}

// The TLS 1.3 suites that the library, or the system's policy, allows, the one with AES-128 and SHA-256 before the others:
// its handshakes are the cheapest.
std::string suites_cheapest_first(const SSL_CTX* context) {
    std::string suites;
    const STACK_OF(SSL_CIPHER)* allowed = SSL_CTX_get_ciphers(context);
    for (int i = 0; i < sk_SSL_CIPHER_num(allowed); ++i) {
        const SSL_CIPHER* suite = sk_SSL_CIPHER_value(allowed, i);
        if (SSL_CIPHER_get_version(suite) != std::string_view("TLSv1.3")) continue;
        const std::string name = SSL_CIPHER_get_name(suite);
        if (SSL_CIPHER_get_id(suite) == TLS1_3_CK_AES_128_GCM_SHA256)
            suites = suites.empty() ? name : name + ":" + suites;
        else
            suites += suites.empty() ? name : ":" + name;
    }
    return suites;
}

}  // namespace

TlsContext::TlsContext(const TlsSettings& settings, const TlsFiles& files) : side_(settings.side) {
    if (const auto problem = problem_of(settings); !problem.empty()) throw TlsSetupError(problem);
    clear_openssl_errors();
    context_.reset(SSL_CTX_new(side_ == TlsLegSide::clients ? TLS_server_method() : TLS_client_method()));
    if (!context_) throw TlsSetupError(take_openssl_error());
    set_rules(settings);
    if (!files.certificate.empty()) {
        load_certificate(settings, files);
        load_key(settings, files);
    }
    load_cas(settings, files.ca);
    set_verification(settings);
    set_resumption();
}

SslPtr TlsContext::make_connection() const {
    SslPtr connection(SSL_new(context_.get()));
    if (!connection) throw std::bad_alloc();
    if (side_ == TlsLegSide::clients)
        SSL_set_accept_state(connection.get());
    else
        SSL_set_connect_state(connection.get());
    return connection;
}

void TlsContext::set_rules(const TlsSettings& settings) {
    SSL_CTX* context = context_.get();
    // The peer's end without a farewell is an ordinary end: the protocol has a message for it.
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                     SSL_OP_CIPHER_SERVER_PREFERENCE);
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_AUTO_RETRY);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_default_passwd_cb(context, no_passphrase);
    set_versions(settings);
    set_ciphers(settings);
    set_key_exchange(settings);
    if (side_ == TlsLegSide::clients) SSL_CTX_set_alpn_select_cb(context, choose_protocol, nullptr);
}

void TlsContext::set_versions(const TlsSettings& settings) {
    const auto protocols = *parse_tls_protocols(settings.protocols);
    SSL_CTX_set_min_proto_version(context_.get(), TLS1_VERSION);
    if (!protocols.v1_0) SSL_CTX_set_options(context_.get(), SSL_OP_NO_TLSv1);
    if (!protocols.v1_1) SSL_CTX_set_options(context_.get(), SSL_OP_NO_TLSv1_1);
    if (!protocols.v1_2) SSL_CTX_set_options(context_.get(), SSL_OP_NO_TLSv1_2);
    if (!protocols.v1_3) SSL_CTX_set_options(context_.get(), SSL_OP_NO_TLSv1_3);
}

void TlsContext::set_ciphers(const TlsSettings& settings) {
    const auto list = tls_cipher_list(settings);
    if (!list.empty() && SSL_CTX_set_cipher_list(context_.get(), list.c_str()) != 1) fail_on_value(side_, "ciphers", settings.ciphers);
    auto suites = settings.tls13_ciphers;
    if (suites.empty() && side_ == TlsLegSide::clients) suites = suites_cheapest_first(context_.get());
    if (!suites.empty() && SSL_CTX_set_ciphersuites(context_.get(), suites.c_str()) != 1) {
        clear_openssl_errors();
        throw TlsSetupError("failed to set the TLSv1.3 cipher suites");
    }
}

void TlsContext::set_key_exchange(const TlsSettings& settings) {
    const auto curves = tls_curve_list(settings);
    if (!curves.empty() && SSL_CTX_set1_groups_list(context_.get(), curves.c_str()) != 1) fail_on_value(side_, "ecdhcurve", curves);
    if (settings.dheparams != "none") SSL_CTX_set_dh_auto(context_.get(), 1);
}

// The certificate first, then those that lead to the CA.
void TlsContext::load_certificate(const TlsSettings& settings, const TlsFiles& files) {
    const auto reader = reader_of(files.certificate);
    const CertificatePtr own(PEM_read_bio_X509_AUX(reader.get(), nullptr, no_passphrase, nullptr));
    if (!own || SSL_CTX_use_certificate(context_.get(), own.get()) != 1) fail(side_, "cert_file", settings.cert_file, take_openssl_error());
    while (CertificatePtr next{PEM_read_bio_X509(reader.get(), nullptr, no_passphrase, nullptr)})
        if (SSL_CTX_add1_chain_cert(context_.get(), next.get()) != 1) fail(side_, "cert_file", settings.cert_file, take_openssl_error());
    if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) fail(side_, "cert_file", settings.cert_file, take_openssl_error());
    clear_openssl_errors();    // it was the end of the file
    end_point_ = end_point_of(own.get());
    has_expired_ = is_expired(own.get());
}

void TlsContext::load_key(const TlsSettings& settings, const TlsFiles& files) {
    const KeyPtr key(PEM_read_bio_PrivateKey(reader_of(files.key).get(), nullptr, no_passphrase, nullptr));
    if (!key || SSL_CTX_use_PrivateKey(context_.get(), key.get()) != 1 || SSL_CTX_check_private_key(context_.get()) != 1)
        fail(side_, "key_file", settings.key_file, take_openssl_error());
    if (EVP_PKEY_is_a(key.get(), "RSA") == 1 && EVP_PKEY_get_bits(key.get()) >= slow_rsa_bits) slow_key_bits_ = EVP_PKEY_get_bits(key.get());
}

void TlsContext::load_cas(const TlsSettings& settings, const std::string& text) {
    if (uses_system_cas(settings)) {
        if (SSL_CTX_set_default_verify_paths(context_.get()) != 1) fail(side_, "ca_file", settings.ca_file, take_openssl_error());
        return;
    }
    if (settings.ca_file.empty()) return;
    const auto reader = reader_of(text);
    X509_STORE* store = SSL_CTX_get_cert_store(context_.get());
    int count = 0;
    while (CertificatePtr ca{PEM_read_bio_X509_AUX(reader.get(), nullptr, no_passphrase, nullptr)}) {
        // The names that clients are shown, so that they know which certificate to send.
        const bool added = X509_STORE_add_cert(store, ca.get()) == 1 &&
                           (side_ == TlsLegSide::servers || SSL_CTX_add_client_CA(context_.get(), ca.get()) == 1);
        if (!added) fail(side_, "ca_file", settings.ca_file, take_openssl_error());
        ++count;
    }
    if (count == 0 || ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE) fail(side_, "ca_file", settings.ca_file, take_openssl_error());
    clear_openssl_errors();
}

// Clients: a certificate that is shown must be valid for the CA, whatever the mode; from verify-ca on there must be one.
// Servers: the chain from verify-ca on; the name is checked when the handshake is done.
void TlsContext::set_verification(const TlsSettings& settings) {
    const bool must_verify = settings.mode >= TlsMode::verify_ca;
    int mode = SSL_VERIFY_NONE;
    if (side_ == TlsLegSide::clients && !settings.ca_file.empty()) mode = SSL_VERIFY_PEER;
    if (must_verify) mode = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
    SSL_CTX_set_verify(context_.get(), mode, nullptr);
}

// One ticket, which its client may use without our remembering anything. Two, the library's default, are work thrown away.
void TlsContext::set_resumption() {
    SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
    if (side_ == TlsLegSide::servers) return;
    constexpr std::string_view name = "pgweir";
    SSL_CTX_set_session_id_context(context_.get(), reinterpret_cast<const unsigned char*>(name.data()), name.size());
    SSL_CTX_set_num_tickets(context_.get(), 1);
}

}  // namespace pgweir
