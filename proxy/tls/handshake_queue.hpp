// The steps of TLS handshakes on one worker, a millisecond's worth at a time, so that many clients that reconnect at once
// do not hold up those who are served. In between, everything else of the worker has its turn.
//
// Not here: keys so slow that even one step is too much; those go to the helpers (handshake.cpp).
#pragma once

#include <deque>

#include <boost/asio/steady_timer.hpp>

#include "proxy/async_transport.hpp"
#include "proxy/tls/tls_layer.hpp"

namespace pgweir {

class HandshakeQueue {
public:
    explicit HandshakeQueue(asio::io_context& io) : io_(io) {}

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
    std::deque<Turn> turns_;
};

}  // namespace pgweir
