#include "tests/sim/scenario.hpp"

#include <algorithm>

#include "tests/sim/prepared_script.hpp"

namespace pgweir::sim {
namespace {

constexpr Microseconds ms(std::int64_t count) { return Microseconds{count * 1000}; }

PoolMode draw_mode(SeededRandom& random) {
    const auto chance = random.between(0, 99);
    return chance < 65 ? PoolMode::transaction : chance < 85 ? PoolMode::session : PoolMode::statement;
}

void draw_sizes(SeededRandom& random, PoolPolicy& policy) {
    policy.pool_size = static_cast<int>(random.percent(10) ? 0 : random.between(1, 5));
    policy.min_pool_size = static_cast<int>(random.percent(30) ? random.between(1, 2) : 0);
    policy.reserve_pool_size = static_cast<int>(random.percent(30) ? random.between(1, 2) : 0);
    policy.reserve_pool_timeout = ms(random.pick({0, 50, 500}));
    policy.cancel_bound = static_cast<int>(random.pick({0, 1, 3, 10}));
}

void draw_timeouts(SeededRandom& random, PoolPolicy& policy) {
    policy.round_robin = random.percent(30);
    policy.server_idle_timeout = ms(random.pick({0, 0, 300, 2000}));
    policy.server_lifetime = ms(random.pick({3'600'000, 3'600'000, 3'600'000, 500, 2000, 0}));
    policy.server_check_delay = ms(random.pick({30'000, 30'000, 0, 20}));
    policy.server_check_query = random.pick({"", "SELECT 1", "SELECT 1", ";"});
    policy.server_connect_timeout = ms(random.pick({500, 1500}));
    policy.server_login_retry = ms(random.pick({300, 1000}));
}

PoolPolicy draw_policy(SeededRandom& random) {
    PoolPolicy policy;
    policy.mode = draw_mode(random);
    policy.has_forced_user = random.percent(20);
    policy.server_reset_query = random.percent(70) ? "DISCARD ALL" : "";
    policy.server_reset_query_always = random.percent(15);
    draw_sizes(random, policy);
    draw_timeouts(random, policy);
    return policy;
}

SessionPolicy draw_session(SeededRandom& random, PoolMode mode) {
    SessionPolicy session;
    session.mode = mode;
    session.statements_max = mode == PoolMode::session || random.percent(20) ? 0 : random.pick({1, 2, 200});
    session.query_timeout = ms(random.pick({0, 0, 0, 500, 3000}));
    session.query_wait_timeout = ms(random.pick({0, 0, 0, 300, 2000}));
    session.query_wait_notify = ms(random.pick({0, 50}));
    session.idle_transaction_timeout = ms(random.pick({0, 0, 0, 300}));
    session.transaction_timeout = ms(random.pick({0, 0, 0, 1000}));
    session.client_idle_timeout = ms(random.pick({0, 0, 0, 0, 800}));
    session.client_lost_query = random.percent(50) ? ClientLostQuery::finish : ClientLostQuery::cancel;
    session.client_lost_drain = ms(random.pick({100, 5000}));
    if (random.percent(4)) session.max_packet_size = 3000;
    session.refuse_simple_query = random.percent(2);
    return session;
}

Temper draw_temper(SeededRandom& random) {
    Temper temper;
    if (random.percent(30)) temper.refuses = static_cast<int>(random.between(5, 40));
    if (random.percent(30)) temper.speaks_again = static_cast<int>(random.between(1, 12));
    return temper;
}

Faults draw_faults(SeededRandom& random) {
    Faults faults;
    if (random.percent(25)) return faults;  // a quiet world: every request must be answered
    const auto sometimes = [&](int much) { return random.percent(35) ? static_cast<int>(random.between(1, much)) : 0; };
    faults.server_dies = sometimes(10);
    faults.server_fatal = sometimes(5);
    faults.news = sometimes(20);
    faults.setting_changes = sometimes(10);
    faults.kill = sometimes(5);
    faults.reload = sometimes(10);
    faults.bounds = sometimes(10);
    faults.pause = sometimes(5);
    faults.reconnect = sometimes(5);
    faults.refuse_waiting = random.percent(5) ? 2 : 0;
    faults.connect_fails = sometimes(40);
    faults.login_refused = sometimes(15);
    faults.starting_up = sometimes(30);
    faults.connect_hangs = sometimes(20);
    faults.cancel_hangs = sometimes(90);
    faults.client_limits = random.percent(10);
    faults.early_shutdown = random.percent(6);
    faults.temper = draw_temper(random);
    return faults;
}

std::vector<std::pair<std::size_t, std::string>> draw_parameters(SeededRandom& random) {
    std::vector<std::pair<std::size_t, std::string>> parameters;
    if (random.percent(40)) parameters.emplace_back(guc_application_name, random.pick({"shop", "Shop", "backup"}));
    if (random.percent(20))
        parameters.emplace_back(guc_interval_style, random.percent(8) ? "!bad" : random.pick({"iso", "+sql"}));
    if (random.percent(20)) parameters.emplace_back(guc_date_style, random.pick({"german", "+iso"}));
    if (random.percent(15)) parameters.emplace_back(guc_time_zone, random.pick({"cet", "utc"}));
    return parameters;
}

ClientPlan draw_client(SeededRandom& random, std::size_t pools, bool troubled) {
    ClientPlan plan;
    plan.pool = random.below(pools);
    plan.start = TimePoint{1'000'000} + random.span(Microseconds{1'500'000});
    plan.parameters = draw_parameters(random);
    plan.vanishes = troubled && random.percent(15);
    if (random.percent(20)) plan.cancels = static_cast<int>(random.between(1, 4));
    return plan;
}

// From chance of their own, so that other runs stay as they were.
void draw_owners(SeededRandom random, Scenario& scenario) {
    if (!random.percent(25)) return;
    for (ClientPlan& plan : scenario.clients) {
        const bool refused = std::ranges::any_of(plan.parameters, [](const auto& wanted) { return wanted.second.starts_with('!'); });
        plan.owns_server = !refused && random.percent(30);
    }
}

void draw_pools(SeededRandom& random, Scenario& scenario) {
    const auto databases = random.between(1, 2);
    const auto users = random.between(1, 2);
    const bool changes_modes = scenario.faults.reload > 0 && random.percent(40);    // what a server keeps is not counted on
    if (changes_modes) scenario.faults.reload = 15;
    for (int database = 0; database < databases; ++database)
        for (int user = 0; user < users; ++user) {
            if (!scenario.pools.empty() && random.percent(20)) continue;
            PoolPlan pool;
            pool.database = "db" + std::to_string(database);
            pool.user = "user" + std::to_string(user);
            pool.policy = draw_policy(random);
            if (changes_modes) pool.policy.server_reset_query.clear();
            pool.session = draw_session(random, pool.policy.mode);
            if (changes_modes) pool.session.statements_max = 0;
            pool.keeps_session = pool.policy.mode == PoolMode::session && !pool.policy.server_reset_query.empty();
            pool.keeps_names = pool.keeps_session || (tracks_named_statements && pool.policy.mode != PoolMode::session &&
                                                      pool.session.statements_max > 0);
            scenario.pools.push_back(std::move(pool));
        }
    const int most_clients = scenario.faults.client_limits ? clients_of_bound_max : 0;
    for (int i = 0; i < databases; ++i)
        scenario.databases.push_back(
            {"db" + std::to_string(i), static_cast<int>(random.percent(50) ? random.between(1, 4) : 0), most_clients});
    for (int i = 0; i < users; ++i)
        scenario.users.push_back(
            {"user" + std::to_string(i), static_cast<int>(random.percent(30) ? random.between(1, 4) : 0), most_clients});
}

}  // namespace

Scenario make_scenario(SeededRandom& random, int workers) {
    Scenario scenario;
    scenario.workers = workers > 0 ? workers : static_cast<int>(random.between(1, 4));
    scenario.network.capacity = static_cast<std::size_t>(random.pick({64, 700, 4096, 4096, 65536}));
    scenario.network.delay_max = Microseconds{random.pick({50, 500, 5000})};
    scenario.network.cut_percent = static_cast<int>(random.pick({5, 40, 90}));
    scenario.mail_delay_max = Microseconds{random.pick({20, 300, 20'000})};
    scenario.servers_report_at_once = random.percent(50);
    scenario.faults = draw_faults(random);
    draw_pools(random, scenario);
    const bool troubled = random.percent(60);
    const auto clients = random.percent(80) ? random.between(3, 16) : random.between(12, 30);
    for (int i = 0; i < clients; ++i) scenario.clients.push_back(draw_client(random, scenario.pools.size(), troubled));
    scenario.calm_at = TimePoint{1'000'000} + Microseconds{random.between(500'000, 4'000'000)};
    scenario.faults.temper.calm_at = scenario.calm_at;
    draw_owners(random, scenario);
    return scenario;
}

PoolPolicy reloaded(SeededRandom& random, const PoolPlan& plan) {
    PoolPolicy policy = plan.policy;
    draw_sizes(random, policy);
    draw_timeouts(random, policy);
    if (!plan.keeps_names && policy.mode != PoolMode::statement && random.percent(70))
        policy.mode = random.percent(50) ? PoolMode::session : PoolMode::transaction;
    return policy;
}

SessionPolicy reloaded_session(SeededRandom& random, const PoolPlan& plan, PoolMode mode) {
    SessionPolicy session = draw_session(random, mode);
    if (plan.session.statements_max == 0)
        session.statements_max = 0;
    else if (session.statements_max == 0 && plan.keeps_names)
        session.statements_max = plan.session.statements_max;
    return session;
}

}  // namespace pgweir::sim
