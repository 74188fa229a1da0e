// One simulated run: the world that a seed draws, run to its end.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "tests/sim/client.hpp"
#include "tests/sim/host.hpp"
#include "tests/sim/run_log.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/trace.hpp"

namespace pgweir::sim {

struct RunResult {
    std::uint64_t events = 0;
    std::uint64_t decisions = 0;
    std::uint64_t messages = 0;   // compared byte for byte
    std::uint64_t completed = 0;  // clients that had all they asked for
};

class World {
public:
    // `workers`: 0 lets the seed say.
    World(std::uint64_t seed, int workers, bool traced);

    // Throws Failure when an invariant breaks.
    RunResult run();

private:
    struct Mischief {
        int weight;  // 0: never in this run
        std::function<void()> act;
    };

    RunResult run_to_end();
    void add_client(const ClientPlan& plan);
    void plan_cancels(ClientEnd& end, int count);
    void try_cancel(ClientEnd& end, int tries);
    void janitor();
    void check_deadlines();
    void plan_mischief();
    void do_mischief();
    void collect_mischiefs();
    int total_weight() const;
    void kill_somebody();
    void reload(std::size_t pool);
    void change_bound();
    void pause_or_resume();
    std::size_t any_pool() { return random_.below(scenario_.pools.size()); }
    void run_until_all_are_done();
    void calm_down();
    void shut_down();
    bool all_clients_done();
    void judge_clients();
    bool is_over(TimePoint limit) const;
    std::string what_is_stuck();
    ServerEnd* any_server();

    EventQueue events_;
    Trace trace_;
    SeededRandom random_;
    Scenario scenario_;
    RunLog runs_;
    Host host_;
    std::vector<std::unique_ptr<Client>> clients_;
    std::vector<Mischief> mischiefs_;
    std::string paused_database_;
    bool is_paused_ = false;
    bool is_calm_ = false;
    std::uint64_t completed_ = 0;
};

}  // namespace pgweir::sim
