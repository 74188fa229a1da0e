#include "proxy/transport.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

namespace pgweir {

Transport& Transport::operator=(Transport&& other) noexcept {
    if (this == &other) return *this;
    close();
    fd_ = std::exchange(other.fd_, -1);
    layer_ = std::move(other.layer_);
    return *this;
}

void Transport::close() {
    if (fd_ < 0) return;
    layer_.reset();
    // Unread bytes would turn the close into a reset, which can overtake an error message on its way to the peer.
    ::shutdown(fd_, SHUT_WR);
    char rest[4096];
    for (int i = 0; i < 16 && ::recv(fd_, rest, sizeof rest, MSG_DONTWAIT) > 0; ++i) {
    }
    ::close(fd_);
    fd_ = -1;
}

IoResult Transport::read_plain(char* into, std::size_t size) {
    for (;;) {
        const auto count = ::recv(fd_, into, size, MSG_DONTWAIT);
        if (count > 0) return {IoStatus::done, static_cast<std::size_t>(count)};
        if (count == 0) return {IoStatus::end, 0};
        if (errno == EINTR) continue;
        return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::again : IoStatus::failed, 0};
    }
}

IoResult Transport::write_plain(const char* from, std::size_t size) {
    for (;;) {
        const auto count = ::send(fd_, from, size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (count >= 0) return {IoStatus::done, static_cast<std::size_t>(count)};
        if (errno == EINTR) continue;
        return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::again : IoStatus::failed, 0};
    }
}

}  // namespace pgweir
