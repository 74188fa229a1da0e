// The rows of SHOW CLIENTS, SERVERS and SOCKETS: clients, logins and consoles, and server connections of all workers.
#pragma once

#include "admin/inventory.hpp"
#include "proxy/control.hpp"

namespace pgweir {

// Adds them to `inventory`; runs on worker 0.
asio::awaitable<void> gather_connections(Control& control, Inventory& inventory);

}  // namespace pgweir
