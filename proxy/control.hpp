// What operators and signals order: reload, pause, kill, shut down. Lives on worker 0's thread.
//
// Not here: the console's words (admin/), the decisions (Book).
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "admin/order.hpp"
#include "admin/statistics.hpp"
#include "proxy/listener.hpp"
#include "proxy/log.hpp"
#include "proxy/worker.hpp"
#include "routing/settings_loader.hpp"

namespace pgweir {

class Control {
public:
    Control(Shared& shared, std::vector<Worker*> workers, Listener& listener, LoadRequest source, AuthFileUsers more_users,
            std::string salt_key, LogSettings log_settings);

    // Each gives the error, or nothing when it has been done (or, for waits, begun).
    std::optional<OrderError> reload();
    // `notice`: what is to be told beside success.
    std::optional<OrderError> set(const std::string& key, const std::string& value, std::string_view& notice);
    std::optional<OrderError> pause(const std::string& database);
    std::optional<OrderError> resume(const std::string& database);
    std::optional<OrderError> disable(const std::string& database, bool disabled);
    std::optional<OrderError> reconnect(const std::string& database);
    std::optional<OrderError> kill(const std::string& database);
    std::optional<OrderError> suspend();
    void shut_down(ShutdownMode mode);
    // Ends that client, wherever it is; `then` hears whether it was found.
    void kill_client(std::uint64_t number, std::function<void(bool)> then);

    // Conditions that orders wait for.
    bool is_paused_out(const std::string& database);    // no server connection is left
    bool has_marked(const std::string& database);
    bool knows_database(const std::string& database);
    bool is_all_paused();
    bool is_suspended() const { return suspended_at_ != never; }
    bool has_flushed();    // all that was on its way when SUSPEND came has gone

    // Pools of entries with a forced user and min_pool_size, which need no client to be there.
    void prepare_pools();
    // The janitor's round, three times a second.
    void tick();
    // Ends a period of the statistics every stats_period, for ever.
    Task end_periods();
    StatsView statistics();

    // Runs on every worker; `then` on this one when all have.
    void on_every_worker(std::function<void(Worker&)> what, std::function<void()> then = {});

    Shared& shared() { return shared_; }
    const std::vector<Worker*>& workers() const { return workers_; }
    const Listener& listener() const { return listener_; }
    Worker& first() { return *workers_.front(); }

private:
    std::shared_ptr<const TlsSetup> build_tls(const Settings& settings);
    void apply(std::shared_ptr<const Settings> settings, std::shared_ptr<const TlsSetup> tls);
    void apply_to_pools(const RunningConfig& config, bool is_other_tls);
    void apply_to_sessions(std::shared_ptr<const RunningConfig> config);
    void drop_pool(const std::shared_ptr<PoolContext>& context);
    void tick_pool(PoolId pool);
    void tick_pools(const std::string& database);
    void forget_idle_pools();
    void forget_auto_database(PoolContext& context);
    void check_shutdown();
    void count_servers_allowed();
    bool is_a_database_paused();
    void end_suspend();
    void check_suspend();
    void end_period();
    bool is_gone(const std::string& database, const PoolContext& context) const { return !database.empty() && context.database != database; }
    DatabaseTotals totals();

    Shared& shared_;
    std::vector<Worker*> workers_;
    Listener& listener_;
    LoadRequest source_;
    AuthFileUsers more_users_;
    std::string salt_key_;
    LogSettings log_settings_;
    SystemFiles files_;
    StatsHistory history_;
    asio::steady_timer stats_timer_;
    TimePoint suspended_at_ = never;
    bool has_flushed_ = false;
    bool counts_unflushed_ = false;    // the workers are being asked
};

}  // namespace pgweir
