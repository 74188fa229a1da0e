// pgweir_sim: runs the decision core through seeded worlds and stops at the first invariant that breaks.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include <CLI/CLI.hpp>

#include "tests/sim/failure.hpp"
#include "tests/sim/world.hpp"

namespace {

using namespace pgweir::sim;

volatile std::uint64_t seed_under_way = 0;
int workers_asked_for = 0;

void print_replay(std::uint64_t seed) {
    std::fprintf(stderr, "replay: pgweir_sim --seed %llu --workers %d --trace\n", static_cast<unsigned long long>(seed),
                 workers_asked_for);
}

// An assertion of the core: its own words are out already.
void on_abort(int) {
    print_replay(seed_under_way);
    std::_Exit(1);
}

bool run_seed(std::uint64_t seed, bool traced, RunResult& total) {
    seed_under_way = seed;
    try {
        const RunResult result = World(seed, workers_asked_for, traced).run();
        total.events += result.events;
        total.decisions += result.decisions;
        total.messages += result.messages;
        total.completed += result.completed;
        return true;
    } catch (const Failure& failure) {
        std::fflush(stdout);
        std::fprintf(stderr, "seed %llu: %s\n", static_cast<unsigned long long>(seed), failure.what());
        print_replay(seed);
        return false;
    }
}

}  // namespace

int main(int argc, char** argv) {
    std::uint64_t first = 1, count = 10'000, seed = 0;
    bool traced = false;
    CLI::App app{"Simulates the decision core of pgweir: clients, servers, network and bad luck from a seed."};
    app.add_option("--seeds", count, "how many seeds")->capture_default_str();
    app.add_option("--first", first, "the first of them")->capture_default_str();
    app.add_option("--seed", seed, "this one alone");
    app.add_option("--workers", workers_asked_for, "workers, 1 to 4; 0: the seed says")
        ->capture_default_str()
        ->check(CLI::Range(0, 4));
    app.add_flag("--trace", traced, "print each event");
    CLI11_PARSE(app, argc, argv);

    std::signal(SIGABRT, on_abort);
    if (app.count("--seed") > 0) {
        first = seed;
        count = 1;
    }
    RunResult total;
    for (std::uint64_t at = first; at < first + count; ++at)
        if (!run_seed(at, traced, total)) return 1;
    std::printf(
        "%llu seeds: %llu events, %llu decisions of the book, %llu messages compared, %llu clients served to their "
        "end\n",
        static_cast<unsigned long long>(count), static_cast<unsigned long long>(total.events),
        static_cast<unsigned long long>(total.decisions), static_cast<unsigned long long>(total.messages),
        static_cast<unsigned long long>(total.completed));
    return 0;
}
