#include "routing/settings_loader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <stdexcept>
#include <utility>

#include "routing/console_name.hpp"
#include "routing/entry_parser.hpp"
#include "routing/ini_reader.hpp"
#include "routing/setting_support.hpp"
#include "routing/setting_table.hpp"
#include "routing/setting_words.hpp"
#include "routing/settings_check.hpp"

namespace pgweir {

namespace {

constexpr std::string_view main_section = "pgbouncer";

enum class Section : std::uint8_t { none, main, databases, users, peers, unknown };

Section section_of(std::string_view name) {
    if (name == main_section || name == "pgweir") return Section::main;
    if (name == "databases") return Section::databases;
    if (name == "users") return Section::users;
    if (name == "peers") return Section::peers;
    return Section::unknown;
}

// What --upstream stands for where nothing else is said: a sidecar of one application.
constexpr auto upstream_defaults = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"listen_addr", "127.0.0.1"},
    {"unix_socket_dir", ""},
    {"pool_mode", "transaction"},
    {"auth_type", "scram-sha-256"},
    {"max_client_conn", "1000"},
    {"worker_threads", "1"},
    {"ignore_startup_parameters", "extra_float_digits"},
});

// How many letters must change to make one word of the other.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = std::exchange(row[0], i + 1);
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
        }
    }
    return row.back();
}

// Behind an error about an unknown key; empty when nothing is near.
std::string suggestion(std::string_view key) {
    const auto table = setting_table();
    const auto nearest = std::ranges::min_element(table, {}, [&](const auto& row) { return distance(key, row.name); });
    const std::size_t near = std::max<std::size_t>(2, key.size() / 5);
    return distance(key, nearest->name) <= near ? fmt::format(", did you mean {}?", nearest->name) : std::string{};
}

std::string in_file(std::string_view place) { return fmt::format(" in configuration ({})", place); }

class SettingsLoad {
public:
    SettingsLoad(const LoadRequest& request, FileReader& files) : request_(request), files_(files) {}

    LoadResult run() {
        start();
        if (!request_.path.empty()) read_file();
        section_name_ = main_section;
        for (const auto& [key, value, origin] : request_.overrides) set(key, value, fmt::format(" ({})", origin));
        collect_entries();
        keep_what_no_reload_changes();
        check();
        if (result_.errors.empty()) result_.settings = std::make_shared<const Settings>(std::move(settings_));
        return std::move(result_);
    }

private:
    void start() {
        if (request_.running) {
            for (const auto& row : setting_table())
                if (!row.default_text) copy_setting(settings_, *request_.running, row);
        }
        settings_.conffile = request_.path;
        if (!request_.upstream) return;
        for (const auto& [key, value] : upstream_defaults) set_default(key, value);
        if (request_.upstream->password.empty()) set_default("auth_type", "trust");
        take_upstream_tls(request_.upstream->tls);
        databases_[request_.upstream->entry.name] = request_.upstream->entry;
        result_.warnings = request_.upstream->warnings;
    }

    void take_upstream_tls(const DatabaseUrlTls& tls) {
        if (tls.mode) set_default("server_tls_sslmode", word_of(*tls.mode));
        set_default("server_tls_ca_file", tls.ca_file);
        set_default("server_tls_cert_file", tls.cert_file);
        set_default("server_tls_key_file", tls.key_file);
    }

    void set_default(std::string_view key, std::string_view value) {
        const auto* row = find_setting(key);
        if (!row || !assign(settings_, *row, value)) throw std::logic_error{"upstream_defaults"};
    }

    void read_file() {
        for (const auto& item : read_ini(request_.path, files_)) {
            switch (item.kind) {
                case IniKind::error: result_.errors.push_back(item.key); break;
                case IniKind::section: enter(item); break;
                case IniKind::pair: take(item); break;
            }
        }
        if (!main_seen_ && result_.errors.empty())
            error(fmt::format("main section [pgbouncer] missing from config file ({})", request_.path));
    }

    void enter(const IniItem& item) {
        section_ = section_of(item.key);
        section_name_ = item.key;
        if (section_ == Section::unknown) error(fmt::format("invalid section \"{}\"{}", item.key, in_file(item.place)));
        if (section_ != Section::main) return;
        // PgBouncer starts from the defaults at each such header. [pgweir] only adds to it.
        if (main_seen_ && item.key == main_section) back_to_defaults();
        main_seen_ = true;
    }

    void back_to_defaults() {
        for (const auto& row : setting_table())
            if (row.default_text) assign_default(settings_, row);
        given_.clear();
    }

    void take(const IniItem& item) {
        switch (section_) {
            case Section::none:
                return error(fmt::format("value without section: {}{}", item.key, in_file(item.place)));
            case Section::main: return set(item.key, item.value, in_file(item.place));
            case Section::databases: return take_database(item);
            case Section::users: return take_user(item);
            case Section::peers: return take_peer(item);
            case Section::unknown: return;     // told once, at its header
        }
    }

    // `place` is the end of a message: where the value stands.
    void set(std::string_view key, std::string_view value, const std::string& place) {
        const auto* row = find_setting(key);
        if (!row) return error(fmt::format("unknown parameter: {}/{}{}{}", section_name_, key, place, suggestion(key)));
        if (!assign(settings_, *row, value)) {
            return error(fmt::format("invalid value \"{}\" for parameter {}{}, expected {}", value, key, place,
                                     allowed_values(*row)));
        }
        given_[row->name] = place.substr(place.find(" ("));
    }

    void take_database(const IniItem& item) {
        if (is_console_database(item.key))
            return error(fmt::format("database name \"{}\" is reserved{}", item.key, in_file(item.place)));
        EntryNotes notes;
        databases_[item.key] = parse_database_entry(item.key, item.value, notes);
        report(notes, "database", item);
    }

    void take_user(const IniItem& item) {
        EntryNotes notes;
        users_[item.key] = parse_user_entry(item.key, item.value, notes);
        report(notes, "user", item);
    }

    void take_peer(const IniItem& item) {
        EntryNotes notes;
        auto peer = parse_peer_entry(item.key, item.value, notes);
        report(notes, "peer", item);
        peers_[peer.id] = std::move(peer);
    }

    void report(const EntryNotes& notes, std::string_view kind, const IniItem& item) {
        for (const auto& text : notes.errors)
            error(fmt::format("{} for {} \"{}\"{}", text, kind, item.key, in_file(item.place)));
        for (const auto& text : notes.warnings)
            warn(fmt::format("{} for {} \"{}\"{}", text, kind, item.key, in_file(item.place)));
    }

    void collect_entries() {
        for (auto& [name, entry] : databases_) settings_.databases.push_back(std::move(entry));
        for (auto& [name, entry] : users_) settings_.users.push_back(std::move(entry));
        for (auto& [id, entry] : peers_) settings_.peers.push_back(std::move(entry));
    }

    void keep_what_no_reload_changes() {
        if (!request_.running) return;
        for (const auto& row : setting_table()) {
            if (row.is_reloadable()) continue;
            if (setting_text(settings_, row) != setting_text(*request_.running, row)) warn(stays_until_restart(row));
            copy_setting(settings_, *request_.running, row);
        }
        for (auto& entry : settings_.databases) keep_forced_user(entry);
    }

    // Clients of such a pool are logged in as somebody else: it can be given another user, but not none.
    void keep_forced_user(DatabaseEntry& entry) {
        const auto* running = request_.running->find_database(entry.name);
        if (!running || !running->has_forced_user() || entry.has_forced_user()) return;
        entry.user = running->user;
        if (!entry.password) entry.password = running->password;
        warn(fmt::format("the user of database \"{}\" cannot be removed by a reload, \"{}\" stays", entry.name,
                         entry.user));
    }

    void check() {
        for (const auto& row : setting_table()) {
            const auto [support, message] = support_of(row, settings_);
            if (support == Support::full) continue;
            const auto place = given_.find(row.name);
            const auto line = place == given_.end() ? message : message + place->second;
            support == Support::refused ? error(line) : warn(line);
        }
        for (auto& line : unsupported_in_entries(settings_)) warn(std::move(line));

        auto findings = check_together(settings_);
        std::ranges::move(findings.errors, std::back_inserter(result_.errors));
        std::ranges::move(findings.warnings, std::back_inserter(result_.warnings));
        check_upstream();
    }

    // The URL's sslmode can be made stronger elsewhere, not weaker.
    // Without a password the URL's rights would be lent to whoever reaches the port.
    void check_upstream() {
        if (request_.upstream && request_.upstream->tls.mode.value_or(TlsMode::disable) > settings_.server_tls_sslmode)
            error(fmt::format("server_tls_sslmode = {} is weaker than what the URL asks for, {}", word_of(settings_.server_tls_sslmode),
                              word_of(*request_.upstream->tls.mode)));
        if (!request_.upstream || !request_.upstream->password.empty() || given_.contains("auth_type")) return;
        if (!listens_on_loopback_only(settings_))
            error("the URL has no password, so listen_addr must be on loopback unless auth_type is given too");
    }

    void error(std::string line) { result_.errors.push_back(std::move(line)); }
    void warn(std::string line) { result_.warnings.push_back(std::move(line)); }

    const LoadRequest& request_;
    FileReader& files_;
    Settings settings_;
    LoadResult result_;
    Section section_ = Section::none;
    std::string section_name_;
    bool main_seen_ = false;
    std::map<std::string_view, std::string> given_;   // where a setting in force was given
    std::map<std::string, DatabaseEntry> databases_;
    std::map<std::string, UserEntry> users_;
    std::map<int, PeerEntry> peers_;
};

}  // namespace

LoadResult load_settings(const LoadRequest& request, FileReader& files) { return SettingsLoad{request, files}.run(); }

}  // namespace pgweir
