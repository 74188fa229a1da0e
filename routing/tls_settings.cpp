#include "routing/tls_settings.hpp"

#include <fmt/format.h>

#include "routing/setting_words.hpp"

namespace pgweir {

namespace {

bool is_word(std::string_view text, std::initializer_list<std::string_view> words) {
    for (const auto word : words)
        if (equals_ignoring_case(text, word)) return true;
    return false;
}

constexpr TlsProtocols all_protocols{true, true, true, true};

std::optional<TlsProtocols> protocols_of_word(std::string_view word) {
    if (is_word(word, {"all", "legacy", "tlsv1"})) return all_protocols;
    if (is_word(word, {"secure", "default"})) return TlsProtocols{.v1_2 = true, .v1_3 = true};
    if (is_word(word, {"tlsv1.0"})) return TlsProtocols{.v1_0 = true};
    if (is_word(word, {"tlsv1.1"})) return TlsProtocols{.v1_1 = true};
    if (is_word(word, {"tlsv1.2"})) return TlsProtocols{.v1_2 = true};
    if (is_word(word, {"tlsv1.3"})) return TlsProtocols{.v1_3 = true};
    return std::nullopt;
}

void switch_versions(TlsProtocols& protocols, const TlsProtocols& which, bool on) {
    const auto change = [&](bool TlsProtocols::*version) {
        if (which.*version) protocols.*version = on;
    };
    change(&TlsProtocols::v1_0);
    change(&TlsProtocols::v1_1);
    change(&TlsProtocols::v1_2);
    change(&TlsProtocols::v1_3);
}

std::string_view without_blanks(std::string_view text) {
    while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
    while (text.ends_with(' ') || text.ends_with('\t')) text.remove_suffix(1);
    return text;
}

bool verifies(const TlsSettings& settings) { return settings.mode >= TlsMode::verify_ca; }

std::string problem_of_files(const TlsSettings& settings) {
    const auto name = [&](std::string_view what) { return tls_setting_name(settings.side, what); };
    if (settings.cert_file.empty() != settings.key_file.empty() ||
        (settings.side == TlsLegSide::clients && settings.cert_file.empty()))
        return fmt::format("{} = {} needs both {} and {}", name("sslmode"), word_of(settings.mode), name("cert_file"),
                           name("key_file"));
    const bool may_use_system = uses_system_cas(settings);
    if (verifies(settings) && settings.ca_file.empty() && !may_use_system)
        return fmt::format("{} = {} needs {}", name("sslmode"), word_of(settings.mode), name("ca_file"));
    return {};
}

}  // namespace

TlsSettings client_tls(const Settings& settings) {
    return {.side = TlsLegSide::clients,
            .mode = settings.client_tls_sslmode,
            .ca_file = settings.client_tls_ca_file,
            .cert_file = settings.client_tls_cert_file,
            .key_file = settings.client_tls_key_file,
            .protocols = settings.client_tls_protocols,
            .ciphers = settings.client_tls_ciphers,
            .tls13_ciphers = settings.client_tls13_ciphers,
            .ecdhcurve = settings.client_tls_ecdhcurve,
            .dheparams = settings.client_tls_dheparams};
}

TlsSettings server_tls(const Settings& settings) {
    return {.side = TlsLegSide::servers,
            .mode = settings.server_tls_sslmode,
            .ca_file = settings.server_tls_ca_file,
            .cert_file = settings.server_tls_cert_file,
            .key_file = settings.server_tls_key_file,
            .protocols = settings.server_tls_protocols,
            .ciphers = settings.server_tls_ciphers,
            .tls13_ciphers = settings.server_tls13_ciphers,
            .ecdhcurve = "auto",
            .dheparams = "auto"};
}

std::optional<TlsProtocols> parse_tls_protocols(std::string_view text) {
    TlsProtocols protocols;
    bool is_first = true;
    while (!text.empty()) {
        auto word = text.substr(0, text.find_first_of(",:"));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        word = without_blanks(word);
        const bool is_taken_away = word.starts_with('!');
        if (is_taken_away) word = without_blanks(word.substr(1));
        const auto versions = protocols_of_word(word);
        if (!versions) return std::nullopt;
        if (is_first && is_taken_away) protocols = all_protocols;    // taken away from what is there otherwise
        is_first = false;
        switch_versions(protocols, *versions, !is_taken_away);
    }
    if (!protocols.any()) return std::nullopt;
    return protocols;
}

std::string tls_cipher_list(const TlsSettings& settings) {
    const auto& text = settings.ciphers;
    std::string list = is_word(text, {"", "default", "secure", "fast", "normal"}) ? std::string()
                       : is_word(text, {"all"})                                 ? std::string("ALL")
                                                                                : text;
    // Versions before 1.2 sign with SHA-1, which OpenSSL 3 allows at this level only.
    const auto protocols = parse_tls_protocols(settings.protocols);
    const bool is_old = protocols && (protocols->v1_0 || protocols->v1_1);
    const bool lacks_curves = is_word(settings.ecdhcurve, {"none"});
    if (list.empty() && (is_old || lacks_curves)) list = "DEFAULT";
    if (lacks_curves) list += ":!kECDHE";
    if (is_old && list.find("@SECLEVEL") == std::string::npos) list += ":@SECLEVEL=0";
    return list;
}

std::string tls_curve_list(const TlsSettings& settings) {
    return is_word(settings.ecdhcurve, {"", "auto", "none"}) ? std::string() : settings.ecdhcurve;
}

std::string tls_setting_name(TlsLegSide side, std::string_view what) {
    return fmt::format("{}_tls_{}", side == TlsLegSide::clients ? "client" : "server", what);
}

bool uses_system_cas(const TlsSettings& settings) {
    if (settings.side == TlsLegSide::clients) return false;    // who may log in is never for the whole world's CAs to say
    return settings.ca_file == tls_system_cas || (settings.mode == TlsMode::verify_full && settings.ca_file.empty());
}

std::string problem_of(const TlsSettings& settings) {
    if (!settings.is_enabled()) return {};
    if (!parse_tls_protocols(settings.protocols))
        return fmt::format("invalid {}: {}", tls_setting_name(settings.side, "protocols"), settings.protocols);
    if (!is_word(settings.dheparams, {"none", "auto", "legacy"}))
        return fmt::format("invalid {}: {}", tls_setting_name(settings.side, "dheparams"), settings.dheparams);
    return problem_of_files(settings);
}

}  // namespace pgweir
