// How log lines and SHOW name a connection: `C-0x55d0: app/alice@10.0.0.7:40112`.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

#include "proxy/client_connection.hpp"
#include "proxy/server_connection.hpp"

namespace pgweir {

std::string name_of(const ClientConnection& client);
std::string name_of(const ServerConnection& server);
// Before there is a session: `where` is whatever address of its own the login has.
std::string name_of_login(const void* where, std::string_view database, std::string_view user, const PeerAddress& peer);
std::string pointer_text(const void* where);

// `address` as the kernel gave it; a Unix socket's has no process yet.
PeerAddress address_of(const sockaddr_storage& address);
// The two ends of a connected socket.
PeerAddress peer_of(int fd);
PeerAddress local_of(int fd);

}  // namespace pgweir
