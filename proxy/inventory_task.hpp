// Gathers what SHOW prints: each worker tells of its own connections, the book of its pools.
#pragma once

#include "admin/inventory.hpp"
#include "proxy/control.hpp"

namespace pgweir {

asio::awaitable<Inventory> gather(Control& control, Needs needs);

}  // namespace pgweir
