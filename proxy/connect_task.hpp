// Connecting to a server's address: TCP or Unix socket, names resolved without blocking the worker.
#pragma once

#include <functional>
#include <string>

#include "proxy/worker.hpp"

namespace pgweir {

struct ServerAddress {
    std::string host;    // name, address, "/directory" or "@abstract"
    int port = 5432;
};

// The next host of the entry's list; its socket directory where it names none.
ServerAddress next_address(const PoolTarget& target, PoolContext& context);

struct ConnectResult {
    boost::system::error_code error;
    bool resolving = false;    // the name could not be looked up
};

// Connects `socket`. Ends early when the socket is cancelled, or soon after `is_over` says so: a name that is slow to be
// looked up does not outlast its caller's deadline, and no further address is tried behind it. `is_over` is the caller's and
// must not be a temporary: GCC 12 destroys those of an awaited call twice.
asio::awaitable<ConnectResult> connect_socket(Socket& socket, ServerAddress address, const std::function<bool()>& is_over);

}  // namespace pgweir
