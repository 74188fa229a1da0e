#include "proxy/transport.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace pgweir {
namespace {

// The system calls themselves: glibc's recv and send are points of cancellation, which costs a process of several threads
// some 50 instructions each time, and no thread here is ever cancelled.
ssize_t receive(int fd, char* into, std::size_t size) {
    return ::syscall(SYS_recvfrom, fd, into, size, MSG_DONTWAIT, nullptr, nullptr);
}

ssize_t transmit(int fd, const char* from, std::size_t size) {
    return ::syscall(SYS_sendto, fd, from, size, MSG_DONTWAIT | MSG_NOSIGNAL, nullptr, 0);
}

}  // namespace

bool has_hung_up(int fd) {
    pollfd watched{.fd = fd, .events = POLLRDHUP, .revents = 0};
    return ::poll(&watched, 1, 0) > 0;
}

Transport& Transport::operator=(Transport&& other) noexcept {
    if (this == &other) return *this;
    close();
    fd_ = std::exchange(other.fd_, -1);
    write_wants_read_ = other.write_wants_read_;
    layer_ = std::move(other.layer_);
    return *this;
}

void Transport::close() {
    if (fd_ < 0) return;
    write_wants_read_ = false;
    if (layer_) layer_->close(fd_);
    layer_.reset();
    // Unread bytes would turn the close into a reset, which can overtake an error message on its way to the peer.
    ::shutdown(fd_, SHUT_WR);
    char rest[4096];
    for (int i = 0; i < 16 && ::recv(fd_, rest, sizeof rest, MSG_DONTWAIT) > 0; ++i) {
    }
    drop();
}

void Transport::drop() {
    if (fd_ < 0) return;
    write_wants_read_ = false;
    if (layer_) layer_->close(fd_);
    layer_.reset();
    ::close(fd_);
    fd_ = -1;
}

IoResult Transport::read_plain(char* into, std::size_t size) {
    for (;;) {
        const auto count = receive(fd_, into, size);
        if (count > 0) return {IoStatus::done, static_cast<std::size_t>(count)};
        if (count == 0) return {IoStatus::end, 0};
        if (errno == EINTR) continue;
        return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::again : IoStatus::failed, 0};
    }
}

IoResult Transport::write_plain(const char* from, std::size_t size) {
    for (;;) {
        const auto count = transmit(fd_, from, size);
        if (count >= 0) return {IoStatus::done, static_cast<std::size_t>(count)};
        if (errno == EINTR) continue;
        return {errno == EAGAIN || errno == EWOULDBLOCK ? IoStatus::again : IoStatus::failed, 0};
    }
}

}  // namespace pgweir
