// One run's world as the seed draws it: workers, pools and their settings, clients, network, and which faults happen.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "routing/pool_policy.hpp"
#include "tests/sim/backend.hpp"
#include "tests/sim/model_server.hpp"
#include "tests/sim/pipe.hpp"

namespace pgweir::sim {

struct PoolPlan {
    std::string database;
    std::string user;
    PoolPolicy policy;
    SessionPolicy session;
    bool keeps_session = false;  // session mode with a reset query: scripts may leave things on their server
    bool keeps_names = false;    // that, or prepared statements are tracked
};

// Where there are client limits.
inline constexpr int clients_max = 12, clients_of_bound_max = 8;

struct BoundPlan {
    std::string name;
    int servers_max = 0;
    int clients_max = 0;
};

struct ClientPlan {
    std::size_t pool = 0;
    TimePoint start{};
    std::vector<std::pair<std::size_t, std::string>> parameters;  // of its start-up packet: place in `guc_names`, value
    bool vanishes = false;
    bool owns_server = false;  // a replication client
    int cancels = 0;
};

// How often each kind of trouble happens; 0: never in this run.
struct Faults {
    int server_dies = 0;  // weights among the world's acts of mischief
    int server_fatal = 0;
    int news = 0;
    int setting_changes = 0;
    int kill = 0;
    int reload = 0;
    int bounds = 0;
    int pause = 0;
    int reconnect = 0;
    int refuse_waiting = 0;
    int connect_fails = 0;  // percent of attempts
    int login_refused = 0;
    int starting_up = 0;
    int connect_hangs = 0;
    int cancel_hangs = 0;  // percent of cancel connections
    Temper temper;         // of all servers
    bool client_limits = false;
    bool early_shutdown = false;  // while clients are still there
};

struct Scenario {
    int workers = 1;
    NetworkTraits network;
    Microseconds mail_delay_max{};  // between workers
    bool servers_report_at_once = false;
    std::vector<PoolPlan> pools;
    std::vector<BoundPlan> databases;
    std::vector<BoundPlan> users;
    std::vector<ClientPlan> clients;
    Faults faults;
    TimePoint calm_at{};  // no more trouble from here on
};

// `workers`: 0 lets the seed say.
Scenario make_scenario(SeededRandom& random, int workers);

// Settings as a reload may change them: what scripts rely on stays.
PoolPolicy reloaded(SeededRandom& random, const PoolPlan& plan);
SessionPolicy reloaded_session(SeededRandom& random, const PoolPlan& plan, PoolMode mode);

}  // namespace pgweir::sim
