#include "tests/unit/proxy/tcp_line.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>

#include "tests/support/catch.hpp"

namespace pgweir::test {

TcpLine::TcpLine() {
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::listen(listener, 1) == 0);
    REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    relay_end_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    REQUIRE(::connect(relay_end_, reinterpret_cast<sockaddr*>(&address), size) == 0);
    test_end_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    REQUIRE(test_end_ >= 0);
    ::close(listener);
    const int on = 1;
    ::setsockopt(test_end_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

TcpLine::~TcpLine() { ::close(test_end_); }

void TcpLine::receive(std::string& into) {
    char buffer[65536];
    for (;;) {
        const auto count = ::recv(test_end_, buffer, sizeof buffer, MSG_DONTWAIT);
        if (count == 0) closed_ = true;
        if (count <= 0) return;
        into.append(buffer, static_cast<std::size_t>(count));
    }
}

bool TcpLine::settle() {
    const std::size_t size = std::min({piece, output_.size() - sent_, allowed - std::min(allowed, sent_)});
    if (size == 0 || dead_) return false;
    const auto count = ::send(test_end_, output_.data() + sent_, size, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (count <= 0) return false;
    sent_ += static_cast<std::size_t>(count);
    return true;
}

void TcpLine::end() {
    dead_ = true;
    ::shutdown(test_end_, SHUT_WR);
}

int TcpLine::mark() const {
    int bytes = 0;
    socklen_t size = sizeof bytes;
    const bool is_open = !closed_ && ::getsockopt(relay_end_, SOL_SOCKET, SO_RCVLOWAT, &bytes, &size) == 0;
    return is_open ? bytes : 0;
}

}  // namespace pgweir::test
