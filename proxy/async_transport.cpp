#include "proxy/async_transport.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace pgweir {
namespace {

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);

}  // namespace

asio::awaitable<bool> AsyncTransport::wait(Socket::wait_type direction) {
    if (cancelled_) co_return false;
    const auto [error] = co_await socket.async_wait(direction, as_result);
    co_return !error;
}

void AsyncTransport::cancel() {
    cancelled_ = true;
    boost::system::error_code ignored;
    if (socket.is_open()) socket.cancel(ignored);
}

asio::awaitable<std::size_t> AsyncTransport::read(char* into, std::size_t size) {
    if (!layer) {
        if (cancelled_) co_return 0;
        const auto [error, count] = co_await socket.async_read_some(asio::buffer(into, size), as_result);
        co_return error ? 0 : count;
    }
    for (;;) {
        const IoResult got = layer->read(socket.native_handle(), into, size);
        if (got.status == IoStatus::done) co_return got.bytes;
        if (got.status == IoStatus::end || got.status == IoStatus::failed) co_return 0;
        if (!co_await wait(got.status == IoStatus::wants_write ? Socket::wait_write : Socket::wait_read)) co_return 0;
    }
}

asio::awaitable<bool> AsyncTransport::write(Bytes bytes) {
    if (!layer) {
        const auto [error, count] = co_await asio::async_write(socket, asio::buffer(bytes), as_result);
        co_return !error;
    }
    while (!bytes.empty()) {
        const IoResult put = layer->write(socket.native_handle(), bytes.data(), bytes.size());
        if (put.status == IoStatus::failed) co_return false;
        bytes.remove_prefix(put.bytes);
        if (put.status == IoStatus::done) continue;
        if (!co_await wait(put.status == IoStatus::wants_read ? Socket::wait_read : Socket::wait_write)) co_return false;
    }
    co_return true;
}

Transport AsyncTransport::release() {
    boost::system::error_code ignored;
    const int fd = socket.is_open() ? socket.release(ignored) : -1;
    return Transport(fd, std::move(layer));
}

}  // namespace pgweir
