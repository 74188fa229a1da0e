#include "proxy/control.hpp"

#include <algorithm>
#include <limits>

#include <boost/asio/post.hpp>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/pool_setup.hpp"
#include "routing/effective_settings.hpp"
#include "routing/servers_allowed.hpp"
#include "routing/settings_console.hpp"

namespace pgweir {
namespace {

// Whether servers to the old target are of no use for the new one.
bool is_other_target(const PoolTarget& a, const PoolTarget& b) {
    return a.entry.dbname != b.entry.dbname || a.entry.hosts != b.entry.hosts || a.entry.port != b.entry.port ||
           a.entry.connect_query != b.entry.connect_query || a.entry.load_balance_hosts != b.entry.load_balance_hosts ||
           a.entry.channel_binding != b.entry.channel_binding || a.entry.user != b.entry.user;
}

}  // namespace

Control::Control(Shared& shared, std::vector<Worker*> workers, Listener& listener, LoadRequest source, AuthFileUsers more_users,
                 std::string salt_key, LogSettings log_settings)
    : shared_(shared), workers_(std::move(workers)), listener_(listener), source_(std::move(source)), more_users_(std::move(more_users)),
      salt_key_(std::move(salt_key)), log_settings_(std::move(log_settings)), history_(now()), stats_timer_(first().io()) {}

void Control::on_every_worker(std::function<void(Worker&)> what, std::function<void()> then) {
    auto left = std::make_shared<std::atomic<int>>(static_cast<int>(workers_.size()));
    for (Worker* worker : workers_)
        worker->post([this, worker, what, then, left] {
            what(*worker);
            if (left->fetch_sub(1) == 1 && then) first().post(then);
        });
}

std::optional<OrderError> Control::reload() {
    const auto running = shared_.config.get();
    LoadRequest request = source_;
    if (!request.path.empty()) request.path = running->settings->conffile;
    request.running = running->settings.get();
    const LoadResult result = load_settings(request, files_);
    for (const auto& line : result.errors) log(LogLevel::error, "{}", line);
    for (const auto& line : result.warnings) log(LogLevel::warning, "{}", line);
    if (!result.settings) {
        log(LogLevel::warning, "config file loading failed");
        return OrderError::reload_failed;
    }
    auto tls = build_tls(*result.settings);
    if (!tls) return OrderError::reload_failed;
    for (const auto& line : describe_changes(*running->settings, *result.settings)) log(LogLevel::log, "RELOAD: {}", line);
    apply(result.settings, std::move(tls));
    return std::nullopt;
}

// Null, with the reason in the log: what is in force stays.
std::shared_ptr<const TlsSetup> Control::build_tls(const Settings& settings) {
    try {
        return make_tls_setup(settings, files_, shared_.config.get()->tls.get());
    } catch (const TlsSetupError& error) {
        log(LogLevel::error, "TLS setup failed: {}", error.what());
        return nullptr;
    }
}

std::optional<OrderError> Control::set(const std::string& key, const std::string& value, std::string_view& notice) {
    const auto running = shared_.config.get();
    Settings changed = *running->settings;
    const SetResult result = apply_set(changed, key, value);
    if (!result.message.empty()) log(result.failed() ? LogLevel::error : LogLevel::warning, "{}", result.message);
    if (result.failed()) return OrderError::set_failed;
    auto tls = running->tls;
    if (key.find("_tls") != std::string::npos) {
        // Certificate and key are set one after the other: between the two nothing fits, and what was there goes on.
        if (auto built = build_tls(changed)) tls = std::move(built);
        else notice = tls_not_applied_notice;
    }
    apply(std::make_shared<const Settings>(std::move(changed)), std::move(tls));
    return std::nullopt;
}

// All of it or none: the snapshot is swapped, then every pool and session follows.
void Control::apply(std::shared_ptr<const Settings> settings, std::shared_ptr<const TlsSetup> tls) {
    LogSettings wanted = log_settings_;
    wanted.logfile = settings->logfile;
    wanted.verbose = std::max(settings->verbose, log_settings_.verbose);
    wanted.json = settings->log_format == LogFormat::json;
    if (!open_log(wanted)) log(LogLevel::error, "cannot open logfile '{}': the log stays as it is", wanted.logfile);
    const auto running = shared_.config.get();
    auto config = make_running_config(std::move(settings), std::move(tls), more_users_, files_, salt_key_, running.get());
    shared_.config.set(config);
    if (config->settings->stats_period != running->settings->stats_period) stats_timer_.cancel();
    apply_to_pools(*config, !config->tls->servers.is_like(running->tls->servers));
    prepare_pools();
    apply_to_sessions(config);
    listener_.apply(*config->settings);
}

void Control::apply_to_pools(const RunningConfig& config, bool is_other_tls) {
    const Settings& settings = *config.settings;
    for (const auto& context : shared_.book.pools()) {
        const auto entry = config.entry(context->database);
        if (!entry) {
            log(LogLevel::warning, "dropping database '{}' as it does not exist anymore or inactive auto-database", context->database);
            drop_pool(context);
            continue;
        }
        context->removed = false;
        const auto policy = std::make_shared<const PoolPolicy>(pool_policy(settings, *entry, context->user));
        const auto old = shared_.book.target_of(*context);
        auto target = std::make_shared<PoolTarget>(*old);
        target->entry = *entry;
        target->secret = entry->password ? StoredSecret(*entry->password) : config.secret_of(context->user);
        target->server_port = entry->port;
        const bool other = is_other_tls || is_other_target(*old, *target);
        shared_.book.set_target(*context, target);
        first().relay().decide([&](Book& book, BookActions& out) {
            book.set_database_bound(context->database, max_db_connections(settings, *entry), max_db_client_connections(settings, *entry), now(), out);
            book.set_user_bound(context->user, max_user_connections(settings, context->user),
                                max_user_client_connections(settings, context->user), now(), out);
            book.set_policy(context->id, policy, now(), out);
            if (other) book.mark_for_close(context->id, CloseReason::target_changed);
        });
        tick_pool(context->id);
    }
}

void Control::apply_to_sessions(std::shared_ptr<const RunningConfig> config) {
    on_every_worker([config](Worker& worker) {
        worker.refresh_config();
        worker.relay().each_client([&](ClientConnection& client) {
            const auto entry = config->entry(client.context->database);
            if (!entry || client.closing) return;
            auto policy = session_policy(*config->settings, *entry, client.context->user, client.details->login_user);
            if (client.session.has_own_server()) policy = replication_policy(std::move(policy));
            worker.relay().set_policy(client, worker.shared_policy(std::make_shared<const SessionPolicy>(std::move(policy))));
        });
    });
}

void Control::drop_pool(const std::shared_ptr<PoolContext>& context) {
    context->removed = true;
    first().relay().decide([&](Book& book, BookActions& out) {
        book.mark_for_close(context->id);
        book.refuse_waiting(context->id, Fault::database_removed, out);
    });
    tick_pool(context->id);
    on_every_worker([context](Worker& worker) {
        worker.relay().end_clients(context.get(), Fault::database_removed);
        worker.relay().close_servers(context.get(), CloseReason::database_removed);
    });
}

bool Control::knows_database(const std::string& database) {
    return shared_.config.get()->entry(database) != nullptr;
}

bool Control::is_all_paused() {
    return shared_.book.look([](Book& book) { return book.all_paused(); });
}

std::optional<OrderError> Control::pause(const std::string& database) {
    if (is_all_paused() || is_suspended()) return OrderError::already_paused;
    if (!database.empty() && !knows_database(database)) return OrderError::no_such_database;
    shared_.book.look([&](Book& book) { book.pause(database, true); });
    tick_pools(database);
    return std::nullopt;
}

std::optional<OrderError> Control::resume(const std::string& database) {
    if (shared_.shutdown.load() != ShutdownPhase::none) return OrderError::shutting_down;
    if (database.empty() && is_suspended()) {
        end_suspend();
        return std::nullopt;
    }
    if (database.empty()) {
        if (!is_all_paused()) return OrderError::not_paused;
    } else {
        if (!knows_database(database)) return OrderError::no_such_database;
        const bool paused = shared_.book.look([&](Book& book) { return book.limits().database_at(book.limits().database(database)).paused; });
        if (!paused) return OrderError::database_not_paused;
    }
    shared_.book.look([&](Book& book) { book.pause(database, false); });
    tick_pools(database);
    return std::nullopt;
}

std::optional<OrderError> Control::disable(const std::string& database, bool disabled) {
    if (!knows_database(database)) return OrderError::no_such_database;
    shared_.book.look([&](Book& book) { book.disable(database, disabled); });
    return std::nullopt;
}

std::optional<OrderError> Control::reconnect(const std::string& database) {
    if (!database.empty() && !knows_database(database)) return OrderError::no_such_database;
    for (const auto& context : shared_.book.pools())
        if (!is_gone(database, *context)) shared_.book.look([&](Book& book) { book.mark_for_close(context->id); });
    tick_pools(database);
    return std::nullopt;
}

std::optional<OrderError> Control::kill(const std::string& database) {
    if (!database.empty() || is_all_paused() || is_suspended())
        if (const auto error = pause(database)) return error;
    for (const auto& context : shared_.book.pools()) {
        if (is_gone(database, *context)) continue;
        shared_.book.look([&](Book& book) { book.pause(context->database, true); });
        first().relay().decide([&](Book& book, BookActions& out) { book.refuse_waiting(context->id, Fault::database_removed, out); });
        on_every_worker([context](Worker& worker) {
            worker.relay().end_clients(context.get(), Fault::database_removed);
            worker.relay().close_servers(context.get(), CloseReason::database_removed);
        });
    }
    return std::nullopt;
}

// The worker that has it is not known: all look. Numbers are unique.
void Control::kill_client(std::uint64_t number, std::function<void(bool)> then) {
    auto found = std::make_shared<std::atomic<bool>>(false);
    const auto look = [number, found](Worker& worker) {
        worker.relay().each_client([&](ClientConnection& client) {
            if (client.details->number != number || client.closing) return;
            *found = true;
            worker.relay().end_client(client, Fault::admin_disconnect);
        });
        worker.each_login([&](LoginView& login) {
            if (login.number() == number && login.kill()) *found = true;
        });
    };
    on_every_worker(look, [found, answer = std::move(then)] { answer(found->load()); });
}

bool Control::is_paused_out(const std::string& database) {
    return shared_.book.look([&](Book& book) {
        const auto& pools = book.pools();
        for (std::uint32_t i = 0; i < pools.index_end(); ++i)
            if (pools.holds(i) && (database.empty() || pools.at(i).database == database) && pools.at(i).open() > 0) return false;
        return true;
    });
}

bool Control::has_marked(const std::string& database) {
    return shared_.book.look([&](Book& book) {
        const auto& pools = book.pools();
        for (std::uint32_t i = 0; i < pools.index_end(); ++i)
            if (pools.holds(i) && (database.empty() || pools.at(i).database == database) && book.has_marked_servers(pools.id_of(i))) return true;
        return false;
    });
}

void Control::tick_pools(const std::string& database) {
    for (const auto& context : shared_.book.pools())
        if (!is_gone(database, *context)) tick_pool(context->id);
}

void Control::tick_pool(PoolId pool) {
    bool more = true;
    while (more)
        first().relay().decide([&](Book& book, BookActions& out) { more = book.tick(pool, now(), out); });
}

void Control::prepare_pools() {
    const auto config = shared_.config.get();
    for (const DatabaseEntry& entry : config->settings->databases) {
        if (entry.name == "*" || !entry.has_forced_user() || pool_policy(*config->settings, entry, entry.user).min_pool_size == 0) continue;
        find_pool(first(), *config, entry, entry.user);
    }
}

void Control::tick() {
    if (is_suspended()) return check_suspend();
    tick_pools({});
    forget_idle_pools();
    count_servers_allowed();
    check_shutdown();
}

// The next pool is not known before its first client is in: it is counted as one of the usual size.
void Control::count_servers_allowed() {
    const int next_pool = shared_.config.get()->settings->default_pool_size;
    const int unbounded = std::numeric_limits<int>::max() / 2;
    const int allowed = shared_.book.look([&](Book& book) { return servers_still_allowed(book, unbounded); });
    shared_.servers_allowed = std::min(unbounded, allowed + (next_pool == 0 ? unbounded : next_pool));
}

void Control::shut_down(ShutdownMode mode) {
    if (mode == ShutdownMode::immediate) {
        for (Worker* worker : workers_) worker->stop();
        return;
    }
    if (shared_.shutdown.load() == ShutdownPhase::waiting_for_servers) return;    // under way; the other may turn into this
    listener_.close_tcp();
    if (mode == ShutdownMode::wait_for_clients) {
        shared_.shutdown = ShutdownPhase::waiting_for_clients;
    } else {
        shared_.shutdown = ShutdownPhase::waiting_for_servers;
        shared_.book.look([](Book& book) { book.begin_shutdown(); });
        for (const auto& context : shared_.book.pools())
            first().relay().decide([&](Book& book, BookActions& out) { book.refuse_waiting(context->id, Fault::server_shutting_down, out); });
        tick_pools({});
    }
    check_shutdown();
}

void Control::check_shutdown() {
    const auto phase = shared_.shutdown.load();
    if (phase == ShutdownPhase::none) return;
    const bool over = phase == ShutdownPhase::waiting_for_servers
                          ? is_paused_out({})
                          : std::all_of(workers_.begin(), workers_.end(), [](const Worker* w) { return w->clients.load() == 0; }) &&
                                shared_.consoles.load() == 0;
    if (!over) return;
    for (Worker* worker : workers_) worker->stop();
}

}  // namespace pgweir
