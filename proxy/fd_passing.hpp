// Sending bytes with descriptors among them, over a Unix socket.
#pragma once

#include <span>
#include <string>

#include "admin/console.hpp"
#include "proxy/worker.hpp"

namespace pgweir {

// Sends all of `bytes`, each descriptor with the byte it belongs to. False: the peer is gone.
asio::awaitable<bool> send_descriptors(Socket& socket, const std::string& bytes, std::span<const PassedDescriptor> descriptors);

}  // namespace pgweir
