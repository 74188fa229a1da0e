#include "routing/settings_check.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "routing/console_name.hpp"
#include "routing/effective_settings.hpp"
#include "routing/tls_settings.hpp"

namespace pgweir {

namespace {

void check_listening(const Settings& settings, SettingsFindings& findings) {
    if (settings.listen_addr.empty() && settings.unix_socket_dir.empty())
        findings.warnings.emplace_back("nothing to listen on: listen_addr and unix_socket_dir are both empty");
    if (settings.max_client_conn == 0) findings.warnings.emplace_back("max_client_conn is 0: no client gets in");
}

void check_logins(const Settings& settings, SettingsFindings& findings) {
    if (is_console_database(settings.auth_dbname))
        findings.errors.push_back(fmt::format("cannot use the reserved \"{}\" database as an auth_dbname", settings.auth_dbname));
    if (settings.auth_type != AuthType::any) return;
    for (const auto& entry : settings.databases) {
        if (entry.has_forced_user()) continue;
        findings.warnings.push_back(
            fmt::format("database \"{}\" has no user, so nobody can log in to it with auth_type=any", entry.name));
    }
}

void check_tls(const Settings& settings, SettingsFindings& findings) {
    for (const auto& leg : {client_tls(settings), server_tls(settings)})
        if (auto problem = problem_of(leg); !problem.empty()) findings.errors.push_back(std::move(problem));
    if (settings.auth_type == AuthType::cert && settings.client_tls_sslmode != TlsMode::verify_full)
        findings.errors.emplace_back("auth_type = cert needs client_tls_sslmode = verify-full");
}

void check_sizes(const Settings& settings, SettingsFindings& findings) {
    for (const auto& entry : settings.databases) {
        const auto policy = pool_policy(settings, entry, entry.user);
        if (policy.pool_size == 0 || policy.min_pool_size <= policy.pool_size) continue;
        findings.warnings.push_back(
            fmt::format("min_pool_size {} of database \"{}\" is above its pool_size {}, which wins", policy.min_pool_size,
                        entry.name, policy.pool_size));
    }
    if (settings.reserve_pool_size > 0 && settings.reserve_pool_timeout == Microseconds{0})
        findings.warnings.emplace_back("reserve_pool_size has no effect while reserve_pool_timeout is 0");
}

}  // namespace

SettingsFindings check_together(const Settings& settings) {
    SettingsFindings findings;
    check_listening(settings, findings);
    check_logins(settings, findings);
    check_tls(settings, findings);
    check_sizes(settings, findings);
    return findings;
}

bool listens_on_loopback_only(const Settings& settings) {
    return std::ranges::all_of(settings.listen_addr, [](const std::string& address) {
        return address.starts_with("127.") || address == "::1" || address == "localhost";
    });
}

}  // namespace pgweir
