#include "tests/sim/backend.hpp"

#include "tests/sim/frames.hpp"
#include "tests/sim/reply_checker.hpp"

namespace pgweir::sim {

Backend::Backend(EventQueue& events, SeededRandom& random, const NetworkTraits& network, const Temper& temper,
                 ModelServer model, RunLog& runs, const Trace& trace, int number)
    : to_server(events, random, network),
      to_proxy(events, random, network),
      events_(events),
      random_(random),
      temper_(temper),
      model_(std::move(model)),
      runs_(runs),
      trace_(trace),
      number_(number) {
    to_server.on_readable = [this] { work(); };
    to_proxy.on_writable = [this] { flush(); };
}

void Backend::work() {
    if (busy_ || !alive_ || closing_ || !kept_.empty()) return;
    while (!model_.has_work() && to_server.readable() > 0) model_.feed(to_server.read(4096));
    if (!model_.has_work()) {
        if (to_server.at_end()) end();
        return;
    }
    busy_ = true;
    events_.after(duration(), [this] { finish_step(); });
}

Microseconds Backend::duration() {
    const Statement* statement = model_.next_statement();
    if (statement != nullptr && statement->verb == Verb::sleep && !model_.waits_in_copy())
        return Microseconds{statement->numbers[0] * 1000};
    return random_.span(Microseconds{statement != nullptr ? 2000 : 50});
}

void Backend::finish_step() {
    busy_ = false;
    if (!alive_ || closing_) return;
    const bool refused = refuses_next();
    const bool canceled = refused || (cancel_pending_ && model_.next_statement() != nullptr);
    has_refused_ = has_refused_ || refused;
    cancel_pending_ = false;
    if (canceled) runs_.canceled.insert(model_.next_run());
    if (trace_.enabled()) doing_ = model_.next_step() + (canceled ? " canceled" : "");
    const bool was_in_copy = model_.waits_in_copy();
    model_.step(canceled);
    collect(was_in_copy && !model_.waits_in_copy());
    if (model_.has_ended()) return end();
    work();
}

// A check or a reset fails: a time-out of the server's own, say.
bool Backend::refuses_next() {
    const Statement* next = model_.next_statement();
    const bool is_ours = next != nullptr && next->tag.empty() && (next->verb == Verb::rows || next->verb == Verb::discard);
    return is_ours && events_.now() < temper_.calm_at && random_.percent(temper_.refuses);
}

void Backend::collect(bool has_left_copy) {
    for (const std::string& run : model_.executed) runs_.executed[std::stoi(run)].push_back(run);
    model_.executed.clear();
    const bool is_ready = !model_.replies.empty() && model_.replies.back().bytes.front() == 'Z';
    std::string replies;
    for (const Reply& reply : model_.replies) replies += reply.bytes;
    model_.replies.clear();
    if (trace_.enabled())
        trace_("server {} has done {}, status {}: {}", number_, doing_, model_.transaction(), message_types(replies));
    kept_ += replies;
    if (is_ready) speak_again(has_left_copy);
    flush();
}

// Nobody has asked for it: it may find the server with its client still, or given back. Mostly where a COPY has ended: if by an
// error, its client may be in the middle of a row.
void Backend::speak_again(bool has_left_copy) {
    const int chance = has_left_copy ? 8 * temper_.speaks_again : temper_.speaks_again;
    if (events_.now() >= temper_.calm_at || !random_.percent(chance)) return;
    if (random_.percent(50)) return tell_news();
    if (trace_.enabled()) trace_("server {} ends behind its ReadyForQuery", number_);
    end_with_fatal();
}

void Backend::flush() {
    if (!alive_) return;
    kept_.erase(0, to_proxy.write(kept_));
    if (!kept_.empty()) return;
    if (closing_) return exit_soon();
    work();
}

// A process that ends has things to tidy up first: its connection may stay open for a while.
void Backend::exit_soon() {
    if (exiting_) return;
    exiting_ = true;
    if (random_.percent(50)) return end();
    events_.after(random_.span(Microseconds{100'000}), [this] {
        if (alive_) end();
    });
}

const Statement* Backend::running() {
    if (!alive_ || closing_ || !(busy_ || model_.waits_in_copy())) return nullptr;
    return model_.next_statement();
}

void Backend::cancel() {
    if (running() == nullptr) return;
    cancel_pending_ = true;
    if (!busy_) finish_step();
}

bool Backend::is_quiet() const {
    return !busy_ && kept_.empty() && !model_.has_work() && to_server.is_empty() && to_proxy.is_empty();
}

void Backend::die() {
    if (!alive_) return;
    alive_ = false;
    to_server.abandon();
    if (random_.percent(30))
        to_proxy.reset();
    else
        to_proxy.cut();
}

void Backend::end() {
    alive_ = false;
    to_server.abandon();
    to_proxy.close();
}

void Backend::end_with_fatal() {
    if (!alive_ || closing_) return;
    say(report_frame('E', "FATAL", "57P01", "terminating connection due to administrator command"));
    closing_ = true;
    flush();
}

void Backend::tell_news() {
    say(random_.percent(50)   ? news_notice(number_)
        : random_.percent(50) ? news_notification(number_)
                              : news_parameter(number_));
}

void Backend::say(const std::string& news) {
    if (!alive_ || closing_) return;
    kept_ += news;
    flush();
}

void Backend::change_setting(std::size_t guc, const std::string& value) {
    if (!alive_ || closing_) return;
    model_.change_setting(guc, value);
    collect();
}

}  // namespace pgweir::sim
