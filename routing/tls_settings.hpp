// What the TLS settings of one leg come to: words in, values out.
//
// Not here: certificates and keys, which proxy/tls reads and checks.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "routing/settings.hpp"

namespace pgweir {

enum class TlsLegSide : std::uint8_t { clients, servers };

struct TlsProtocols {
    bool v1_0 = false;
    bool v1_1 = false;
    bool v1_2 = false;
    bool v1_3 = false;

    bool any() const { return v1_0 || v1_1 || v1_2 || v1_3; }
    bool operator==(const TlsProtocols&) const = default;
};

// The `*_tls_*` settings of one leg, by their text.
struct TlsSettings {
    TlsLegSide side = TlsLegSide::clients;
    TlsMode mode = TlsMode::disable;
    std::string ca_file;
    std::string cert_file;
    std::string key_file;
    std::string protocols;
    std::string ciphers;          // up to TLS 1.2
    std::string tls13_ciphers;    // empty: the library's
    std::string ecdhcurve;        // towards clients only, as dheparams
    std::string dheparams;

    bool is_enabled() const { return mode != TlsMode::disable; }
    bool operator==(const TlsSettings&) const = default;
};

TlsSettings client_tls(const Settings& settings);
TlsSettings server_tls(const Settings& settings);

// "secure", "tlsv1.2,tlsv1.3", "all:!tlsv1.0"; nothing when a word is unknown or no version is left.
std::optional<TlsProtocols> parse_tls_protocols(std::string_view text);

// In OpenSSL's syntax, the words "default", "secure", "fast", "normal" and "all" resolved. Empty: the library's own.
std::string tls_cipher_list(const TlsSettings& settings);

// Curves in OpenSSL's syntax; empty: the library's own.
std::string tls_curve_list(const TlsSettings& settings);

// "client_tls_" + what: a setting's name for a message.
std::string tls_setting_name(TlsLegSide side, std::string_view what);

// The word of a CA file that stands for the CAs which the system trusts.
inline constexpr std::string_view tls_system_cas = "system";
// Whether certificates of servers are checked against them; empty ca_file and verify-full mean the same.
bool uses_system_cas(const TlsSettings& settings);

// What is wrong with the settings whatever the files hold; empty: nothing. A leg without TLS is never wrong.
std::string problem_of(const TlsSettings& settings);

}  // namespace pgweir
