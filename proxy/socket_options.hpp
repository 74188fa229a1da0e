// TCP options of client and server sockets: never-delay, keepalive, buffers, user timeout.
#pragma once

#include "routing/settings.hpp"

namespace pgweir {

// Best effort: a kernel that refuses one leaves its own value.
void set_socket_options(int fd, const Settings& settings);

}  // namespace pgweir
