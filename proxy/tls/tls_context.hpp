// One leg's certificate, key, CAs and rules, as OpenSSL has them. Immutable and shared by all workers; a reload makes a
// new one, and connections keep theirs.
//
// Tickets of resumption are sealed with a key of the context's own: a new context takes none of the old one's.
#pragma once

#include <memory>
#include <stdexcept>
#include <string>

#include "proxy/tls/openssl.hpp"
#include "routing/tls_settings.hpp"

namespace pgweir {

// What the settings or the files are wrong with, for `TLS setup failed: …`.
struct TlsSetupError : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// What the files hold; empty where no file is named.
struct TlsFiles {
    std::string ca;
    std::string certificate;
    std::string key;
};

class TlsContext {
public:
    // Throws TlsSetupError.
    TlsContext(const TlsSettings& settings, const TlsFiles& files);

    // A new connection of this leg; what is to be said or checked is set already.
    SslPtr make_connection() const;

    TlsLegSide side() const { return side_; }
    // A signature takes milliseconds (RSA of 3,072 bits and more), so handshakes are not for a worker's thread.
    bool has_slow_key() const { return slow_key_bits_ > 0; }
    int slow_key_bits() const { return slow_key_bits_; }
    bool has_expired() const { return has_expired_; }
    // Channel binding data of our own certificate.
    const std::string& end_point() const { return end_point_; }

private:
    void set_rules(const TlsSettings& settings);
    void set_versions(const TlsSettings& settings);
    void set_ciphers(const TlsSettings& settings);
    void set_key_exchange(const TlsSettings& settings);
    void load_certificate(const TlsSettings& settings, const TlsFiles& files);
    void load_key(const TlsSettings& settings, const TlsFiles& files);
    void load_cas(const TlsSettings& settings, const std::string& text);
    void set_verification(const TlsSettings& settings);
    void set_resumption();

    SslContextPtr context_;
    TlsLegSide side_;
    int slow_key_bits_ = 0;
    bool has_expired_ = false;
    std::string end_point_;
};

}  // namespace pgweir
