// Noticing that a peer has gone while nobody reads from it: it waits for a welcome, or for a console's order.
#pragma once

#include <functional>
#include <memory>

#include "proxy/worker.hpp"

namespace pgweir {

// Calls `then` once, on the socket's own thread, when the peer hangs up; never after stop() or its own end.
class HangUpWatch {
public:
    HangUpWatch(Socket& socket, std::function<void()> then);
    HangUpWatch(const HangUpWatch&) = delete;
    HangUpWatch& operator=(const HangUpWatch&) = delete;
    ~HangUpWatch() { stop(); }

    void stop();
    bool has_happened() const { return watch_->happened; }

private:
    // Shared with handlers, which may run when the watch is over.
    struct Watch {
        Watch(Socket& watched, std::function<void()> call) : socket(&watched), then(std::move(call)), timer(watched.get_executor()) {}
        Socket* socket;    // null: the watch is over
        std::function<void()> then;
        asio::steady_timer timer;
        bool happened = false;
    };

    static void look(const std::shared_ptr<Watch>& watch);

    std::shared_ptr<Watch> watch_;
};

}  // namespace pgweir
