// A socket of the slow paths, plain or TLS: what coroutines read and write before the relay has it, and consoles always.
//
// Not here: deadlines (the callers cancel), handshakes (proxy/tls).
#pragma once

#include <memory>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>

#include "protocol/result.hpp"
#include "proxy/transport.hpp"

namespace pgweir {

namespace asio = boost::asio;
using Socket = asio::generic::stream_protocol::socket;

struct AsyncTransport {
    explicit AsyncTransport(Socket its_socket) : socket(std::move(its_socket)) {}
    explicit AsyncTransport(asio::io_context& io) : socket(io) {}

    // Some bytes, at least one; none: the peer has hung up, the connection is lost or was cancelled.
    asio::awaitable<std::size_t> read(char* into, std::size_t size);
    // All of them. False: lost or cancelled.
    asio::awaitable<bool> write(Bytes bytes);
    // Until the socket can be read or written. False: cancelled.
    asio::awaitable<bool> wait(Socket::wait_type direction);
    // Ends what waits, and every read and wait that is still to come: one may be about to begin. A last word can be written.
    void cancel();
    // For the relay; nothing may be pending.
    Transport release();

    Socket socket;
    std::unique_ptr<TransportLayer> layer;    // null: plain

private:
    bool cancelled_ = false;
};

}  // namespace pgweir
