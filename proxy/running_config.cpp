#include "proxy/running_config.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "proxy/log.hpp"
#include "routing/effective_settings.hpp"
#include "routing/session_settings.hpp"

namespace pgweir {

FileContents SystemFiles::read(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) return {.text = {}, .error = std::strerror(errno)};
    std::ostringstream text;
    text << file.rdbuf();
    return {.text = text.str(), .error = {}};
}

std::shared_ptr<const DatabaseEntry> RunningConfig::entry(std::string_view database) const {
    if (const auto* listed = settings->find_database(database); listed != nullptr && database != "*")
        return {settings, listed};    // held by the settings
    if (const auto* fallback = settings->fallback()) return std::make_shared<DatabaseEntry>(auto_database(*fallback, database));
    return nullptr;
}

StoredSecret RunningConfig::secret_of(std::string_view user) const {
    const auto found = users.find(user);
    return found == users.end() ? StoredSecret{} : found->second;
}

bool RunningConfig::knows_user(std::string_view user) const {
    return users.contains(user) || settings->find_user(user) != nullptr;
}

std::vector<std::string> tracked_names(const Settings& settings) {
    return TrackedParameters(settings.track_extra_parameters).names();
}

namespace {

TlsOffer tls_offer(TlsMode mode) {
    if (mode == TlsMode::disable) return TlsOffer::none;
    return mode < TlsMode::require ? TlsOffer::offered : TlsOffer::required;
}

}  // namespace

std::shared_ptr<const RunningConfig> make_running_config(std::shared_ptr<const Settings> settings, std::shared_ptr<const TlsSetup> tls,
                                                         const AuthFileUsers& more_users,
                                                         FileReader& files, const std::string& salt_key,
                                                         const RunningConfig* running) {
    auto config = std::make_shared<RunningConfig>();
    if (!settings->auth_file.empty()) {
        const auto contents = files.read(settings->auth_file);
        if (!contents.error.empty()) {
            log(LogLevel::error, "could not open auth_file {}: {}", settings->auth_file, contents.error);
            if (running != nullptr) config->users = running->users;
        } else {
            auto parsed = AuthFile::parse(contents.text);
            if (parsed.problem) log(LogLevel::error, "{}", to_string(*parsed.problem));
            config->users = std::move(parsed.users);
        }
    }
    for (const auto& [name, secret] : more_users) config->users.insert_or_assign(name, secret);

    auto rules = std::make_shared<LoginRules>();
    rules->auth_type = settings->auth_type;
    rules->start_up.tracked_parameters = tracked_names(*settings);
    rules->start_up.ignore_startup_parameters = settings->ignore_startup_parameters;
    rules->admin_users = settings->admin_users;
    rules->stats_users = settings->stats_users;
    rules->scram_iterations = settings->scram_iterations;
    rules->scram_salt_key = salt_key;
    rules->application_name_add_host = settings->application_name_add_host;
    rules->compat_error_codes = settings->compat_error_codes;
    rules->tls = tls_offer(tls->clients.settings.mode);
    config->rules = std::move(rules);
    config->tls = std::move(tls);
    config->settings = std::move(settings);
    return config;
}

}  // namespace pgweir
