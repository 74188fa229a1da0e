// The steps of TLS handshakes that are coroutines, with servers mostly, on one worker: a millisecond's worth at a time, so that
// many at once do not hold up those who are served. In between, everything else of the worker has its turn, those who are
// served first: Asio would look at their sockets after a step and call for them after the next.
//
// Not here: handshakes with clients, which are part of their logins (logins.hpp); keys so slow that even one step is too much,
// which go to the helpers (handshake.cpp).
#pragma once

#include <deque>
#include <functional>
#include <utility>

#include <boost/asio/steady_timer.hpp>

#include "proxy/async_transport.hpp"
#include "proxy/tls/tls_layer.hpp"

namespace pgweir {

class HandshakeQueue {
public:
    // `serve_others` is called before each step.
    HandshakeQueue(asio::io_context& io, std::function<void()> serve_others) : io_(io), serve_others_(std::move(serve_others)) {}

    // One step, when its turn has come. `layer` and its socket must stay until then.
    asio::awaitable<HandshakeStep> step(TlsLayer& layer, int fd);

private:
    struct Turn {
        TlsLayer* layer;
        int fd;
        HandshakeStep* result;
        asio::steady_timer* done;
    };

    void take_turns();

    asio::io_context& io_;
    std::function<void()> serve_others_;
    std::deque<Turn> turns_;
};

}  // namespace pgweir
