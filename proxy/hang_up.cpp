#include "proxy/hang_up.hpp"

namespace pgweir {
namespace {

constexpr std::chrono::milliseconds poll_period{250};

}  // namespace

HangUpWatch::HangUpWatch(Socket& socket, std::function<void()> then) : watch_(std::make_shared<Watch>(socket, std::move(then))) {
    socket.async_wait(Socket::wait_read, [watch = watch_](const boost::system::error_code& error) {
        if (!error) look(watch);
    });
}

void HangUpWatch::stop() {
    if (watch_->socket == nullptr) return;
    boost::system::error_code ignored;
    watch_->socket->cancel(ignored);
    watch_->timer.cancel();
    watch_->socket = nullptr;
}

// A peer that has sent something ahead makes its socket readable for good, so it is asked now and then instead.
void HangUpWatch::look(const std::shared_ptr<Watch>& watch) {
    if (watch->socket == nullptr || watch->happened) return;
    if (has_hung_up(watch->socket->native_handle())) {
        watch->happened = true;
        return watch->then();
    }
    watch->timer.expires_after(poll_period);
    watch->timer.async_wait([watch](const boost::system::error_code& error) {
        if (!error) look(watch);
    });
}

}  // namespace pgweir
