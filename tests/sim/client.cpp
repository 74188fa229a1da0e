#include "tests/sim/client.hpp"

#include <fmt/format.h>

#include "tests/sim/frames.hpp"

namespace pgweir::sim {

Client::Client(EventQueue& events, SeededRandom& random, const NetworkTraits& network, int number, Script script,
               ReplyChecker checker, const Trace& trace)
    : to_proxy(events, random, network),
      from_proxy(events, random, network),
      events_(events),
      random_(random),
      number_(number),
      script_(std::move(script)),
      checker_(std::move(checker)),
      trace_(trace) {
    to_proxy.on_writable = [this] { flush(); };
    from_proxy.on_readable = [this] {
        if (reading_) return;
        reading_ = true;
        events_.after(script_.reads_slowly ? random_.span(Microseconds{20'000}) : Microseconds{0},
                      [this] { read_some(); });
    };
}

void Client::read_some() {
    reading_ = false;
    if (vanished_) return;
    checker_.received(from_proxy.read(script_.reads_slowly ? 1 + random_.below(600) : 65536));
    if (from_proxy.readable() > 0) return from_proxy.on_readable();
    if (from_proxy.at_end()) {
        done_ = true;
        to_proxy.close();
        return;
    }
    advance();
}

bool Client::may_advance() {
    switch (script_.steps[next_step_].wait) {
        case Wait::none: return true;
        case Wait::heard: return checker_.messages() > heard_at_send_ || checker_.is_settled();
        case Wait::settled: return checker_.is_settled();
    }
    return true;
}

void Client::advance() {
    if (done_ || vanished_ || left_ || pausing_ || !outgoing_.empty() || next_step_ == script_.steps.size() ||
        !may_advance())
        return;
    pausing_ = true;
    events_.after(script_.steps[next_step_].pause, [this] {
        pausing_ = false;
        if (!done_ && !vanished_) send_step();
    });
}

void Client::send_step() {
    const Step& step = script_.steps[next_step_++];
    if (!step.continues) heard_at_send_ = checker_.messages();
    outgoing_ = step.bytes;
    if (script_.vanishes && sent_ + outgoing_.size() >= script_.vanishes_after)
        outgoing_.resize(script_.vanishes_after - sent_);
    if (trace_.enabled()) trace_("client {} sends {}", number_, message_types(outgoing_));
    checker_.sent(outgoing_);
    flush();
}

void Client::flush() {
    if (done_ || vanished_) return;
    const auto taken = to_proxy.write(outgoing_);
    sent_ += taken;
    outgoing_.erase(0, taken);
    if (!outgoing_.empty()) return;
    if (script_.vanishes && sent_ == script_.vanishes_after) return vanish();
    if (next_step_ == script_.steps.size()) return leave();
    advance();
}

void Client::vanish() {
    vanished_ = true;
    done_ = true;
    if (script_.vanishes_by_reset)
        to_proxy.reset();
    else
        to_proxy.close();
    from_proxy.abandon();
}

// It has said Terminate.
void Client::leave() {
    if (left_) return;
    left_ = true;
    to_proxy.close();
    if (!random_.percent(50)) return;
    done_ = true;
    vanished_ = true;
    from_proxy.abandon();
}

std::string Client::where() const {
    return fmt::format("client {} at step {} of {}, {} bytes unsent{}{}", number_, next_step_, script_.steps.size(),
                       outgoing_.size(), vanished_ ? ", vanished" : "", left_ ? ", left" : "");
}

}  // namespace pgweir::sim
