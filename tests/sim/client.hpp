// One client outside of pgweir: plays its script, checks what it receives, and may vanish or ask for a cancel at any time.
#pragma once

#include <functional>

#include "tests/sim/pipe.hpp"
#include "tests/sim/reply_checker.hpp"
#include "tests/sim/script.hpp"
#include "tests/sim/trace.hpp"

namespace pgweir::sim {

class Client {
public:
    Client(EventQueue& events, SeededRandom& random, const NetworkTraits& network, int number, Script script,
           ReplyChecker checker, const Trace& trace);
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    Pipe to_proxy;
    Pipe from_proxy;

    void start() { advance(); }

    int number() const { return number_; }
    const Script& script() const { return script_; }
    ReplyChecker& checker() { return checker_; }
    // Its own end of the connection is closed, by itself or since pgweir has closed the other one.
    bool is_done() const { return done_; }
    bool has_sent_all() const { return next_step_ == script_.steps.size() && outgoing_.empty(); }
    bool has_vanished() const { return vanished_; }
    bool left_in_order() const { return left_ && script_.ends_in_order; }
    bool has_left() const { return left_; }
    std::string where() const;

private:
    void advance();
    bool may_advance();
    void send_step();
    void flush();
    void read_some();
    void vanish();
    void leave();

    EventQueue& events_;
    SeededRandom& random_;
    int number_;
    Script script_;
    ReplyChecker checker_;
    const Trace& trace_;
    std::string outgoing_;
    std::size_t next_step_ = 0;
    std::size_t sent_ = 0;             // bytes written
    std::uint64_t heard_at_send_ = 0;  // messages received before the last step
    bool pausing_ = false;
    bool reading_ = false;
    bool vanished_ = false;
    bool left_ = false;
    bool done_ = false;
};

}  // namespace pgweir::sim
