// A worker's own edge-triggered epoll for the sockets of the relay. Asio watches it as one descriptor.
//
// A socket is registered once; an event carries its token (kind, index and generation), never an address, so that an
// event for something closed in the same batch is recognised, and one for a socket of which another process has a copy.
// Remove before a move; a close removes.
#pragma once

#include <cstdint>
#include <span>

#include <sys/epoll.h>

#include "routing/time.hpp"

namespace pgweir {

enum class PollKind : std::uint8_t { client, server, wake, login, listener, timer, turn };

struct PollToken {
    PollKind kind = PollKind::wake;
    std::uint32_t index = 0;
    std::uint32_t generation = 0;    // its low 28 bits are compared

    static constexpr std::uint32_t generation_mask = 0x0fffffff;
    std::uint64_t pack() const {
        return std::uint64_t{static_cast<std::uint8_t>(kind)} << 60 | std::uint64_t{generation & generation_mask} << 32 | index;
    }
    static PollToken unpack(std::uint64_t word) {
        return {static_cast<PollKind>(word >> 60), static_cast<std::uint32_t>(word), static_cast<std::uint32_t>(word >> 32) & generation_mask};
    }
};

class Poller {
public:
    static constexpr int batch_events = 1024;

    Poller();
    ~Poller();
    Poller(const Poller&) = delete;
    Poller& operator=(const Poller&) = delete;

    // Throws std::system_error when the kernel refuses.
    void add(int fd, PollToken token);
    // … of a socket that is told of as long as it is readable: of logins and listeners.
    void add_level(int fd, PollToken token);
    // One that is there already stands for something else from now on.
    void rename(int fd, PollToken token) { watch_output(fd, token, false); }
    // Whether readiness to write is told too: only while bytes are kept for it.
    void watch_output(int fd, PollToken token, bool on);
    void remove(int fd);

    // Events that are there now; or the next ones, with no bound on the wait: one would have the kernel set its clock anew each
    // time, which is 6 % of the cost of waiting (see set_turn()).
    std::span<const epoll_event> poll(bool waits = false);

    // An event of kind `timer` comes once, after this time; one of kind `turn`.
    void set_timer(Microseconds delay);
    void set_turn(Microseconds delay);
    // Makes the poller readable from any thread.
    void wake();
    int fd() const { return epoll_; }

private:
    int epoll_;
    int event_;
    int timer_;
    int turn_;
    epoll_event events_[batch_events];
};

}  // namespace pgweir
