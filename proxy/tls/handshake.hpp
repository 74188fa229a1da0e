// TLS on a connection of the slow paths, as coroutines: the handshake with a client, and with a server from SSLRequest on.
#pragma once

#include <string>

#include "proxy/tls/tls_layer.hpp"
#include "proxy/tls/tls_setup.hpp"
#include "proxy/worker.hpp"

namespace pgweir {

struct TlsOutcome {
    bool succeeded = false;
    std::string failure;          // for the log; empty where the connection just ended
};

// With a client; `early`: what it has sent of the handshake. A transport that has a layer goes on with its handshake. It has the
// layer afterwards if that succeeded.
asio::awaitable<TlsOutcome> accept_tls(Worker& worker, AsyncTransport& transport, std::shared_ptr<const TlsContext> context, Bytes early);

// With a server, as far as its leg's mode asks for it. Success without a layer: the server has no TLS and need not.
asio::awaitable<TlsOutcome> request_tls(Worker& worker, AsyncTransport& transport, const TlsLeg& leg, const std::string& host);

// What the login wants to know of a client's handshake.
TlsFacts facts_of(const TlsLayer& layer);

// Channel binding data of the server at the other end; empty: there is none.
std::string server_end_point(const AsyncTransport& transport);

}  // namespace pgweir
