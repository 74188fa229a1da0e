#include "tests/sim/backend.hpp"

#include "tests/sim/frames.hpp"

namespace pgweir::sim {

Backend::Backend(EventQueue& events, SeededRandom& random, const NetworkTraits& network, ModelServer model,
                 RunLog& runs, const Trace& trace, int number)
    : to_server(events, random, network),
      to_proxy(events, random, network),
      events_(events),
      random_(random),
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
    const bool canceled = cancel_pending_ && model_.next_statement() != nullptr;
    cancel_pending_ = false;
    if (canceled) runs_.canceled.insert(model_.next_run());
    if (trace_.enabled()) doing_ = model_.next_step() + (canceled ? " canceled" : "");
    model_.step(canceled);
    collect();
    if (model_.has_ended()) return end();
    work();
}

void Backend::collect() {
    for (const std::string& run : model_.executed) runs_.executed[std::stoi(run)].push_back(run);
    model_.executed.clear();
    std::string replies;
    for (const Reply& reply : model_.replies) replies += reply.bytes;
    model_.replies.clear();
    if (trace_.enabled())
        trace_("server {} has done {}, status {}: {}", number_, doing_, model_.transaction(), message_types(replies));
    kept_ += replies;
    flush();
}

void Backend::flush() {
    if (!alive_) return;
    kept_.erase(0, to_proxy.write(kept_));
    if (!kept_.empty()) return;
    if (closing_) return end();
    work();
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
