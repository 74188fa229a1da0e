// Connecting to a server's address: TCP or Unix socket, names resolved without blocking the worker.
#pragma once

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

// Connects `socket`; ends early when the socket is cancelled.
asio::awaitable<ConnectResult> connect_socket(Socket& socket, ServerAddress address);

}  // namespace pgweir
