#include "proxy/login_counts.hpp"

#include <utility>

#include "routing/console_name.hpp"
#include "routing/effective_settings.hpp"

namespace pgweir {

LoginCounts::~LoginCounts() {
    if (on_worker_) worker_.clients.fetch_sub(1, std::memory_order_relaxed);
    if (!entries_ && !process_) return;
    shared_.book.look([&](Book& book) {
        if (entries_) book.limits().release_from(database_, user_);
        if (process_) book.limits().release_client();
    });
}

Fault LoginCounts::admit(const Admission& admission, const ClientLogin& login, const RunningConfig& config) {
    return shared_.book.look([&](Book& book) {
        Limits& limits = book.limits();
        if (admission.process && !process_) {
            process_ = true;
            limits.set_clients_max(config.settings->max_client_conn);
            const Fault fault = limits.admit_client();
            if (fault != Fault::none) return fault;
        }
        return admission.database || admission.user ? admit_to_entries(admission, login, config, limits) : Fault::none;
    });
}

// Names that strangers make up get no place of their own: they share the one without a name.
Fault LoginCounts::admit_to_entries(const Admission& admission, const ClientLogin& login, const RunningConfig& config, Limits& limits) {
    const auto entry = config.entry(login.database());
    const bool console = is_console_database(login.database());
    const bool known_user = admission.user || config.knows_user(login.user());
    database_ = limits.database(console ? console_database : entry ? std::string_view(login.database()) : std::string_view());
    user_ = limits.user(known_user ? std::string_view(login.user()) : std::string_view());
    if (console || entry)
        limits.database_at(database_).clients_max =
            entry ? max_db_client_connections(*config.settings, *entry) : config.settings->max_db_client_connections;
    if (known_user) limits.user_at(user_).clients_max = max_user_client_connections(*config.settings, login.user());
    entries_ = true;
    return limits.admit_to(database_, user_, !admission.database, !admission.user);
}

void LoginCounts::count_exempt(const ClientLogin& login) {
    shared_.book.look([&](Book& book) {
        if (!std::exchange(process_, true)) book.limits().admit_client();
        if (std::exchange(entries_, true)) return;
        database_ = book.limits().database(console_database);
        user_ = book.limits().user(login.user());
        book.limits().admit_to(database_, user_, true, true);
    });
}

}  // namespace pgweir
