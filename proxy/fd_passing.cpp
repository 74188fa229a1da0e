#include "proxy/fd_passing.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

// The manual page cmsg(3). The number of bytes sent, at least one of them with the descriptor; -1: errno says why.
ssize_t send_with(int socket, std::string_view bytes, int descriptor) {
    alignas(cmsghdr) char control[CMSG_SPACE(sizeof(int))]{};
    iovec part{.iov_base = const_cast<char*>(bytes.data()), .iov_len = bytes.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control;
    message.msg_controllen = sizeof control;
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(header), &descriptor, sizeof descriptor);
    return ::sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace

asio::awaitable<bool> send_descriptors(Socket& socket, const std::string& bytes, std::span<const PassedDescriptor> descriptors) {
    std::size_t sent = 0;
    for (std::size_t i = 0; i <= descriptors.size(); ++i) {
        const std::size_t until = i < descriptors.size() ? descriptors[i].offset : bytes.size();
        const auto [error, count] = co_await asio::async_write(socket, asio::buffer(bytes.data() + sent, until - sent), as_result);
        if (error) co_return false;
        sent = until;
        while (i < descriptors.size() && sent == until) {
            const ssize_t taken = send_with(socket.native_handle(), std::string_view(bytes).substr(sent, 1), *descriptors[i].handle);
            if (taken > 0) {
                sent += static_cast<std::size_t>(taken);
                continue;
            }
            if (errno == EINTR) continue;
            if (errno != EAGAIN && errno != EWOULDBLOCK) co_return false;
            const auto [failed] = co_await socket.async_wait(Socket::wait_write, as_result);
            if (failed) co_return false;
        }
    }
    co_return true;
}

}  // namespace pgweir
