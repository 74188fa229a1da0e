#include "proxy/socket_options.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace pgweir {
namespace {

void set(int fd, int level, int option, int value) { ::setsockopt(fd, level, option, &value, sizeof value); }

}  // namespace

void set_socket_options(int fd, const Settings& s) {
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (s.tcp_socket_buffer > 0) {
        set(fd, SOL_SOCKET, SO_SNDBUF, s.tcp_socket_buffer);
        set(fd, SOL_SOCKET, SO_RCVBUF, s.tcp_socket_buffer);
    }
    if (s.tcp_user_timeout.count() > 0) set(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, static_cast<int>(s.tcp_user_timeout.count() / 1000));
    if (!s.tcp_keepalive) return;
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (s.tcp_keepcnt > 0) set(fd, IPPROTO_TCP, TCP_KEEPCNT, s.tcp_keepcnt);
    if (s.tcp_keepidle.count() > 0) set(fd, IPPROTO_TCP, TCP_KEEPIDLE, static_cast<int>(s.tcp_keepidle.count() / 1'000'000));
    if (s.tcp_keepintvl.count() > 0) set(fd, IPPROTO_TCP, TCP_KEEPINTVL, static_cast<int>(s.tcp_keepintvl.count() / 1'000'000));
}

}  // namespace pgweir
