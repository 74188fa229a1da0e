// Forgetting what nobody has used for long: pools, and databases that no line names.

#include <algorithm>

#include "proxy/clock.hpp"
#include "proxy/control.hpp"
#include "proxy/log.hpp"

namespace pgweir {
namespace {

constexpr Microseconds busy{-1};

Microseconds idle_time(const Pool& pool) {
    const bool in_use = pool.sessions > 0 || pool.open() > 0 || pool.cancel_connections > 0;
    return in_use ? busy : now() - pool.last_busy_at;
}

// How long nobody has been in this pool, and in any pool of its database.
struct IdleTimes {
    Microseconds pool = busy;
    Microseconds database = busy;
};

IdleTimes idle_times(BookHost& host, PoolId id) {
    return host.look([&](Book& book) {
        IdleTimes times;
        const Pool* pool = book.pool(id);
        if (pool == nullptr) return times;
        times.pool = times.database = idle_time(*pool);
        for (const PoolId other : book.limits().database_at(pool->database_bound).pools)
            times.database = std::min(times.database, idle_time(*book.pool(other)));
        return times;
    });
}

bool has_lasted(Microseconds idle, Microseconds limit) { return limit.count() > 0 && idle >= limit; }

}  // namespace

// pool_idle_timeout, autodb_idle_timeout, and pools whose entry has left the configuration.
void Control::forget_idle_pools() {
    const auto config = shared_.config.get();
    const Settings& settings = *config->settings;
    for (const auto& context : shared_.book.pools()) {
        const auto idle = idle_times(shared_.book, context->id);
        if (idle.pool == busy) continue;
        const auto target = shared_.book.target_of(*context);
        const DatabaseEntry& entry = target->entry;
        const bool is_kept = entry.has_forced_user() && entry.min_pool_size.value_or(settings.min_pool_size) > 0;
        if (context->removed) {
            shared_.book.forget_pool(*context);
        } else if (entry.is_auto && has_lasted(idle.database, settings.autodb_idle_timeout)) {
            forget_auto_database(*context);
        } else if (has_lasted(idle.pool, settings.pool_idle_timeout) && !is_kept) {
            log(LogLevel::log, "cleaning up idle pool for user {} on db {} because: pool idle timeout (age= {}s)", context->user,
                context->database, idle.pool.count() / 1'000'000);
            shared_.book.forget_pool(*context);
        }
    }
}

// One line, with its last pool.
void Control::forget_auto_database(PoolContext& context) {
    const bool is_last = shared_.book.look([&](Book& book) {
        const Pool* pool = book.pool(context.id);
        return pool != nullptr && book.limits().database_at(pool->database_bound).pools.size() == 1;
    });
    if (is_last)
        log(LogLevel::warning, "dropping database '{}' as it does not exist anymore or inactive auto-database", context.database);
    shared_.book.forget_pool(context);
}

}  // namespace pgweir
