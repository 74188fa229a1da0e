// One direction of a connection: bytes that arrive in order, late, and cut anywhere.
//
// Promises: takes no more than its capacity, as a socket buffer does; the end comes behind the bytes, but for `cut` (a
//           writer that dies loses some of them) and `reset` (all that is unread is lost).
#pragma once

#include <functional>
#include <string>

#include "protocol/result.hpp"
#include "tests/sim/event_queue.hpp"
#include "tests/sim/seeded_random.hpp"

namespace pgweir::sim {

struct NetworkTraits {
    std::size_t capacity = 4096;
    Microseconds delay_max{500};
    int cut_percent = 30;  // how often a write arrives in pieces
};

class Pipe {
public:
    Pipe(EventQueue& events, SeededRandom& random, const NetworkTraits& traits)
        : events_(events),
          random_(random),
          traits_(traits) {}
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;

    // The writer's side. `write` returns how many bytes were taken; `on_writable` tells when more can be.
    std::size_t write(Bytes bytes);
    void close();
    void cut();
    void reset();

    // The reader's side.
    std::string read(std::size_t most);
    std::size_t readable() const { return arrived_; }
    bool is_empty() const { return bytes_.empty(); }
    bool at_end() const { return end_arrived_ && (arrived_ == 0 || was_reset_); }
    bool was_reset() const { return was_reset_; }
    void abandon();  // the reader is gone: whatever comes is thrown away

    std::function<void()> on_readable;
    std::function<void()> on_writable;

private:
    void deliver(std::size_t count);
    void plan(std::size_t count);
    void plan_end();

    EventQueue& events_;
    SeededRandom& random_;
    NetworkTraits traits_;
    std::string bytes_;  // under way and arrived
    std::size_t arrived_ = 0;
    TimePoint last_arrival_{};
    bool writer_waits_ = false;
    bool closed_ = false;
    bool end_arrived_ = false;
    bool was_reset_ = false;
    bool abandoned_ = false;
};

}  // namespace pgweir::sim
