#include "proxy/names.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <fmt/compile.h>

namespace pgweir {
namespace {

std::string full_name(char kind, const void* where, std::string_view database, std::string_view user, const PeerAddress& peer) {
    return fmt::format("{}-{}: {}/{}@{}", kind, pointer_text(where), database.empty() ? "(nodb)" : database,
                       user.empty() ? "(nouser)" : user, peer.text());
}

}  // namespace

PeerAddress address_of(const sockaddr_storage& storage) {
    PeerAddress address;
    if (storage.ss_family == AF_INET) {
        const auto& in = reinterpret_cast<const sockaddr_in&>(storage);
        const std::uint32_t ip = ntohl(in.sin_addr.s_addr);
        address.host = fmt::format(FMT_COMPILE("{}.{}.{}.{}"), ip >> 24, ip >> 16 & 255, ip >> 8 & 255, ip & 255);
        address.port = ntohs(in.sin_port);
    } else if (storage.ss_family == AF_INET6) {
        char text[INET6_ADDRSTRLEN] = "";
        const auto& in = reinterpret_cast<const sockaddr_in6&>(storage);
        ::inet_ntop(AF_INET6, &in.sin6_addr, text, sizeof text);
        address.host = text;
        address.port = ntohs(in.sin6_port);
    } else {
        address.is_unix = true;
    }
    return address;
}

std::string PeerAddress::text() const {
    if (is_unix) return pid > 0 ? fmt::format("unix({}):{}", pid, port) : fmt::format("unix:{}", port);
    return host.find(':') != std::string::npos ? fmt::format("[{}]:{}", host, port) : fmt::format("{}:{}", host, port);
}

std::string pointer_text(const void* where) { return fmt::format("{}", where); }

std::string name_of(const ClientConnection& client) {
    return full_name('C', &client, client.context->database, client.details->login_user, client.details->peer);
}

std::string name_of(const ServerConnection& server) {
    return full_name('S', &server, server.context->database, server.context->user, server.remote);
}

std::string name_of_login(const void* where, std::string_view database, std::string_view user, const PeerAddress& peer) {
    return full_name('C', where, database, user, peer);
}

PeerAddress peer_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    PeerAddress address = address_of(storage);
    if (address.is_unix) {
        ucred credentials{};
        socklen_t length = sizeof credentials;
        if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &length) == 0) address.pid = credentials.pid;
    }
    return address;
}

PeerAddress local_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    if (::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return {};
    return address_of(storage);
}

}  // namespace pgweir
