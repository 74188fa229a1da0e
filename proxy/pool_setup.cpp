#include "proxy/pool_setup.hpp"

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "routing/effective_settings.hpp"

namespace pgweir {

namespace {

bool is_new(Shared& shared, const std::string& database) {
    return shared.book.look([&](Book& book) { return book.limits().database_at(book.limits().database(database)).pools.empty(); });
}

}  // namespace

std::shared_ptr<PoolContext> find_pool(Worker& worker, const RunningConfig& config, const DatabaseEntry& entry, std::string_view login_user) {
    if (auto known = worker.shared().book.known_pool(entry.name, pool_user(entry, login_user))) return known;
    const std::string user(pool_user(entry, login_user));
    if (entry.is_auto && is_new(worker.shared(), entry.name)) log(LogLevel::log, "registered new auto-database: {}", entry.name);
    const Settings& settings = *config.settings;
    auto target = std::make_shared<PoolTarget>(PoolTarget{.entry = entry,
                                                          .user = user,
                                                          .secret = entry.password ? StoredSecret(*entry.password) : config.secret_of(user),
                                                          .unix_socket_dir = settings.unix_socket_dir,
                                                          .server_port = entry.port});
    const auto policy = std::make_shared<const PoolPolicy>(pool_policy(settings, entry, user));
    auto context = worker.shared().book.pool(entry.name, user, policy, std::move(target), now());
    worker.relay().decide([&](Book& book, BookActions& out) {
        book.set_database_bound(entry.name, max_db_connections(settings, entry), max_db_client_connections(settings, entry), now(), out);
        book.set_user_bound(user, max_user_connections(settings, user), max_user_client_connections(settings, user), now(), out);
    });
    return context;
}

}  // namespace pgweir
