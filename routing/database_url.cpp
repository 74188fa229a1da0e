#include "routing/database_url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <stdexcept>

#include "routing/console_name.hpp"
#include "routing/setting_value.hpp"
#include "routing/setting_words.hpp"
#include "routing/tls_settings.hpp"

namespace pgweir {

namespace {

constexpr int port_default = 5432;
constexpr int port_max = 65535;

// What libpq does when neither the URL nor a socket directory says where.
constexpr const char* host_default = "localhost";

// Never holds a value of the URL but a host, a port or a mode.
struct BadUrl : std::runtime_error {
    using std::runtime_error::runtime_error;
};

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

std::string decoded(std::string_view text, std::string_view part) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') {
            out += text[i];
            continue;
        }
        const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
        const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
        if (high < 0 || low < 0)
            throw BadUrl{fmt::format("a \"%\" in the URL's {} is not followed by two hex digits", part)};
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    if (out.find('\0') != out.npos) throw BadUrl{fmt::format("the URL's {} holds a zero byte", part)};
    return out;
}

// The text before the first of `ends`, taken off `text`; the end itself stays.
std::string_view take_until(std::string_view& text, std::string_view ends) {
    const auto part = text.substr(0, text.find_first_of(ends));
    text.remove_prefix(part.size());
    return part;
}

class UrlParser {
public:
    DatabaseUrl parse(std::string_view text) {
        take_scheme(text);
        const auto authority = take_until(text, "/?#");
        take_authority(authority);
        if (text.starts_with('/')) {
            text.remove_prefix(1);
            url_.entry.dbname = decoded(take_until(text, "?#"), "database name");
        }
        if (text.starts_with('?')) take_parameters(text.substr(1, text.find('#') - 1));
        return finish();
    }

private:
    static void take_scheme(std::string_view& text) {
        for (const std::string_view scheme : {"postgresql://", "postgres://"}) {
            if (!text.starts_with(scheme)) continue;
            text.remove_prefix(scheme.size());
            return;
        }
        throw BadUrl{"a database URL starts with postgresql:// or postgres://"};
    }

    void take_authority(std::string_view text) {
        if (const auto at = text.rfind('@'); at != text.npos) {
            auto user_info = text.substr(0, at);
            url_.user = decoded(take_until(user_info, ":"), "user");
            if (!user_info.empty()) url_.password = decoded(user_info.substr(1), "password");
            text.remove_prefix(at + 1);
        }
        while (!text.empty()) {
            take_host(take_until(text, ","));
            if (text.empty()) break;
            text.remove_prefix(1);
            if (text.empty()) take_host(text);
        }
    }

    void take_host(std::string_view text) {
        std::string_view host;
        if (text.starts_with('[')) {
            const auto end = text.find(']');
            if (end == text.npos) throw BadUrl{"an IPv6 address in the URL has no closing bracket"};
            host = text.substr(1, end - 1);
            text.remove_prefix(end + 1);
        } else {
            host = take_until(text, ":");
        }
        if (!text.empty() && text.front() != ':') throw BadUrl{"unexpected text behind a host in the URL"};
        url_.entry.hosts.push_back(host.empty() ? host_default : decoded(host, "host"));
        take_port(text.empty() ? text : text.substr(1));
    }

    // One port serves all hosts of an entry.
    void take_port(std::string_view text) {
        const int port = text.empty() ? port_default : number(text);
        if (port_ && *port_ != port) throw BadUrl{"the hosts of a URL must share one port"};
        port_ = port;
    }

    static int number(std::string_view text) {
        const bool is_digits = text.find_first_not_of("0123456789") == text.npos && text.size() <= 5;
        const int port = is_digits ? parse_leading_integer(text) : 0;
        if (port < 1 || port > port_max) throw BadUrl{"the URL's port is not a number from 1 to 65535"};
        return port;
    }

    void take_parameters(std::string_view text) {
        while (!text.empty()) {
            auto pair = take_until(text, "&");
            if (!text.empty()) text.remove_prefix(1);
            if (pair.empty()) continue;
            const auto key = decoded(take_until(pair, "="), "parameters");
            if (pair.empty()) throw BadUrl{"a parameter of the URL has no value"};
            take_parameter(key, decoded(pair.substr(1), "parameters"));
        }
    }

    void take_parameter(const std::string& key, const std::string& value) {
        auto& entry = url_.entry;
        if (key == "user") url_.user = value;
        else if (key == "password") url_.password = value;
        else if (key == "dbname") entry.dbname = value;
        else if (key == "host" || key == "hostaddr") take_host_parameter(value);
        else if (key == "port") port_ = number(value);
        else if (key == "application_name") entry.application_name = value;
        else if (key == "client_encoding") entry.client_encoding = value;
        else if (!take_tls_parameter(key, value) && !is_security(key, value))
            url_.warnings.push_back(fmt::format("the URL's parameter {} is ignored", key));
    }

    void take_host_parameter(std::string_view value) {
        url_.entry.hosts.clear();
        for (;;) {
            const auto host = take_until(value, ",");
            url_.entry.hosts.emplace_back(host.empty() ? host_default : host);
            if (value.empty()) return;
            value.remove_prefix(1);
        }
    }

    bool take_tls_parameter(std::string_view key, const std::string& value) {
        if (key == "sslmode") url_.tls.mode = word<TlsMode>(key, value);
        else if (key == "ssl" && value == "true") url_.tls.mode = TlsMode::require;
        else if (key == "sslrootcert") url_.tls.ca_file = value;
        else if (key == "sslcert") url_.tls.cert_file = value;
        else if (key == "sslkey") url_.tls.key_file = value;
        else if (key == "channel_binding") url_.entry.channel_binding = word<ChannelBinding>(key, value);
        else return false;
        return true;
    }

    template <class Choice>
    static Choice word(std::string_view key, std::string_view value) {
        if (const auto choice = choice_of<Choice>(value)) return *choice;
        throw BadUrl{fmt::format("the URL's {} is none of {}", key, fmt::join(choice_words<Choice>, ", "))};
    }

    // What the URL asks of the connection's safety is kept or the URL is refused: never quietly dropped.
    static bool is_security(std::string_view key, std::string_view value) {
        if (key != "require_auth" && !(key == "gssencmode" && value == "require")) return false;
        throw BadUrl{fmt::format("{}={} in the URL is not supported yet, and to ignore it would weaken security", key, value)};
    }

    // As libpq: the system's CAs sign for everybody, so the name must be checked too; any other CA file is there to be used.
    void settle_tls() {
        auto& tls = url_.tls;
        if (tls.ca_file == tls_system_cas) {
            if (tls.mode.value_or(TlsMode::verify_full) != TlsMode::verify_full)
                throw BadUrl{"sslrootcert=system in the URL needs sslmode=verify-full"};
            tls.mode = TlsMode::verify_full;
        }
        if (tls.mode == TlsMode::require && !tls.ca_file.empty()) tls.mode = TlsMode::verify_ca;
        if (tls.cert_file.empty() != tls.key_file.empty()) throw BadUrl{"sslcert and sslkey in the URL go together"};
        if (url_.entry.channel_binding == ChannelBinding::require && tls.mode.value_or(TlsMode::prefer) < TlsMode::require)
            tls.mode = TlsMode::require;
    }

    DatabaseUrl finish() {
        auto& entry = url_.entry;
        if (url_.user.empty()) throw BadUrl{"the URL names no user"};
        if (entry.dbname.empty()) entry.dbname = url_.user;
        if (entry.hosts.empty()) entry.hosts.emplace_back(host_default);
        entry.port = port_.value_or(port_default);
        entry.name = entry.dbname;
        if (entry.name == "*" || is_console_database(entry.name)) throw BadUrl{"the URL's database name is reserved"};
        entry.user = url_.user;
        if (!url_.password.empty()) entry.password = url_.password;
        settle_tls();
        return std::move(url_);
    }

    DatabaseUrl url_;
    std::optional<int> port_;
};

}  // namespace

DatabaseUrlResult parse_database_url(std::string_view text) {
    try {
        return {UrlParser{}.parse(text), {}};
    } catch (const BadUrl& bad) {
        return {{}, bad.what()};
    }
}

}  // namespace pgweir
