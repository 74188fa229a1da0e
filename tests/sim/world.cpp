#include "tests/sim/world.hpp"

#include <algorithm>

#include "tests/sim/book_invariants.hpp"
#include "tests/sim/failure.hpp"

namespace pgweir::sim {
namespace {

constexpr Microseconds janitor_round{333'000};
constexpr Microseconds deadline_round{50'000};
constexpr Microseconds longest_run{180'000'000};  // of virtual time
constexpr std::uint64_t events_max = 3'000'000;

}  // namespace

World::World(std::uint64_t seed, int workers, bool traced)
    : trace_(events_, traced),
      random_(seed),
      scenario_(make_scenario(random_, workers)),
      host_(events_, random_, scenario_, trace_, runs_) {
    collect_mischiefs();
}

RunResult World::run() {
    try {
        return run_to_end();
    } catch (const Failure&) {
        trace_("the book:\n{}", describe_book(host_.book()));
        throw;
    }
}

RunResult World::run_to_end() {
    for (const ClientPlan& plan : scenario_.clients) add_client(plan);
    events_.after(random_.span(janitor_round), [this] { janitor(); });
    events_.after(deadline_round, [this] { check_deadlines(); });
    if (total_weight() > 0) plan_mischief();
    events_.at(scenario_.calm_at, [this] { calm_down(); });
    if (scenario_.faults.early_shutdown)
        events_.at(scenario_.calm_at - Microseconds{random_.between(0, 500'000)}, [this] { host_.begin_shutdown(); });
    run_until_all_are_done();
    shut_down();
    judge_clients();
    host_.check_nothing_left();
    RunResult result{
        .events = events_.handled(), .decisions = host_.decisions(), .messages = 0, .completed = completed_};
    for (const auto& client : clients_) result.messages += client->checker().messages();
    return result;
}

void World::add_client(const ClientPlan& plan) {
    const int number = static_cast<int>(clients_.size());
    const PoolPlan& pool = scenario_.pools[plan.pool];
    Gucs gucs = default_gucs();
    for (const auto& [guc, value] : plan.parameters)
        if (!canonical(value).empty()) gucs[guc] = canonical(value);
    const bool keeps_session = pool.keeps_session || plan.owns_server;
    Script script = make_script(random_, {.client = number,
                                          .keeps_session = keeps_session,
                                          .keeps_names = pool.keeps_names || plan.owns_server,
                                          .discards = plan.parameters.empty(),
                                          .avoids_blocks = pool.policy.mode == PoolMode::statement && !plan.owns_server,
                                          .vanishes = plan.vanishes});
    const ModelTraits traits{.reports_at_once = scenario_.servers_report_at_once, .shows_session = keeps_session};
    clients_.push_back(std::make_unique<Client>(events_, random_, scenario_.network, number, std::move(script),
                                                ReplyChecker(number, gucs, traits, runs_), trace_));
    Client& client = *clients_.back();
    events_.at(plan.start, [this, &client, &plan] {
        host_.admit(client, plan);
        client.start();
        plan_cancels(*host_.clients().back(), plan.cancels);
    });
}

void World::plan_cancels(ClientEnd& end, int count) {
    for (int i = 0; i < count; ++i) try_cancel(end, 10);
}

// A cancel that finds nothing running comes again, a few times.
void World::try_cancel(ClientEnd& end, int tries) {
    events_.after(random_.span(Microseconds{300'000}), [this, &end, tries] {
        if (!host_.cancel(end) && tries > 1) try_cancel(end, tries - 1);
    });
}

void World::janitor() {
    host_.janitor();
    events_.after(janitor_round, [this] { janitor(); });
}

void World::check_deadlines() {
    host_.check_deadlines();
    events_.after(deadline_round, [this] { check_deadlines(); });
}

void World::plan_mischief() {
    events_.after(random_.span(Microseconds{150'000}), [this] {
        if (is_calm_) return;
        do_mischief();
        plan_mischief();
    });
}

void World::do_mischief() {
    auto draw = random_.between(1, total_weight());
    for (const Mischief& mischief : mischiefs_) {
        draw -= mischief.weight;
        if (draw <= 0) return mischief.act();
    }
}

// What may go wrong beside connecting, and what operators do.
void World::collect_mischiefs() {
    const Faults& faults = scenario_.faults;
    const auto to_server = [this](auto act) {
        return [this, act] {
            if (ServerEnd* server = any_server()) act(*server);
        };
    };
    mischiefs_ = {
        {faults.server_dies, to_server([this](ServerEnd& server) {
             trace_("server {} dies", server.number);
             server.backend->die();
         })},
        {faults.server_fatal, to_server([this](ServerEnd& server) {
             trace_("server {} is terminated", server.number);
             server.backend->end_with_fatal();
         })},
        {faults.news, to_server([](ServerEnd& server) { server.backend->tell_news(); })},
        {faults.setting_changes, to_server([this](ServerEnd& server) {
             server.backend->change_setting(guc_time_zone, random_.pick({"utc", "cet", "jst"}));
         })},
        {faults.kill, [this] { kill_somebody(); }},
        {faults.reload, [this] { reload(any_pool()); }},
        {faults.bounds, [this] { change_bound(); }},
        {faults.pause, [this] { pause_or_resume(); }},
        {faults.reconnect, [this] { host_.reconnect(any_pool()); }},
        {faults.refuse_waiting, [this] { host_.refuse_waiting(any_pool()); }},
    };
}

int World::total_weight() const {
    int total = 0;
    for (const Mischief& mischief : mischiefs_) total += mischief.weight;
    return total;
}

void World::kill_somebody() {
    if (!host_.clients().empty()) host_.kill(*host_.clients()[random_.below(host_.clients().size())]);
}

void World::reload(std::size_t pool) {
    PoolPolicy policy = reloaded(random_, scenario_.pools[pool]);
    const PoolMode mode = policy.mode;
    host_.reload(pool, std::move(policy), reloaded_session(random_, scenario_.pools[pool], mode));
}

void World::change_bound() {
    const bool of_database = random_.percent(50);
    const auto& bounds = of_database ? scenario_.databases : scenario_.users;
    BoundPlan bound = bounds[random_.below(bounds.size())];
    bound.servers_max = static_cast<int>(random_.between(0, 4));
    host_.set_bound(of_database, bound);
}

void World::pause_or_resume() {
    if (!is_paused_) paused_database_ = random_.percent(50) ? "" : scenario_.pools[any_pool()].database;
    is_paused_ = !is_paused_;
    host_.pause(paused_database_, is_paused_);
    if (!is_paused_ || random_.percent(50)) return;
    events_.after(random_.span(janitor_round), [this] {    // too short for the janitor to see it
        if (is_paused_ && !is_calm_) pause_or_resume();
    });
}

ServerEnd* World::any_server() {
    std::vector<ServerEnd*> alive;
    for (const auto& server : host_.servers())
        if (server->backend != nullptr && server->backend->is_alive()) alive.push_back(server.get());
    return alive.empty() ? nullptr : alive[random_.below(alive.size())];
}

void World::calm_down() {
    trace_("from here on nothing goes wrong any more");
    is_calm_ = true;
    if (is_paused_) host_.pause(paused_database_, false);
    is_paused_ = false;
}

bool World::all_clients_done() {
    return host_.clients().size() == scenario_.clients.size() && is_calm_ && !host_.has_cancels() &&
           std::ranges::all_of(host_.clients(), [](const auto& end) { return !end->open && end->outside->is_done(); });
}

bool World::is_over(TimePoint limit) const { return events_.now() > limit || events_.handled() > events_max; }

void World::run_until_all_are_done() {
    const TimePoint limit = scenario_.calm_at + longest_run;
    while (!all_clients_done()) {
        if (is_over(limit)) throw Failure("clients are stuck: " + what_is_stuck());
        events_.run_next();
    }
}

void World::shut_down() {
    host_.begin_shutdown();
    const TimePoint limit = events_.now() + longest_run;
    while (host_.has_open_servers()) {
        require(!is_over(limit), "servers are left after the shutdown");
        events_.run_next();
    }
}

std::string World::what_is_stuck() {
    std::string text;
    for (const auto& end : host_.clients()) {
        if (!end->open && end->outside->is_done()) continue;
        const int phase = end->session ? static_cast<int>(end->session->phase()) : -1;
        text += fmt::format("\n  {}, pool {}, phase {}{}", end->outside->where(), end->pool, phase,
                            end->server != nullptr ? fmt::format(", has server {}", end->server->number) : "");
    }
    return text;
}

// Whoever was not disturbed has had everything that it asked for.
void World::judge_clients() {
    for (const auto& end : host_.clients()) {
        Client& client = *end->outside;
        const bool disturbed = end->ended_with != Fault::none || end->lost_its_server || client.script().vanishes;
        const bool answered = !disturbed && client.left_in_order();
        if (answered) ++completed_;
        client.checker().finish(answered, !disturbed && client.has_left() && !end->cut_short);
        require(!end->has_bad_parameter || !runs_.executed.contains(client.number()),
                "client {}: its statements ran though its parameter was refused", client.number());
        require(disturbed || client.has_left(), "client {} was closed before its end: {}", client.number(),
                client.where());
    }
}

}  // namespace pgweir::sim
