#include "proxy/tls/handshake_queue.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/clock.hpp"

namespace pgweir {
namespace {

constexpr Microseconds round_time{1'000};

}  // namespace

asio::awaitable<HandshakeStep> HandshakeQueue::step(TlsLayer& layer, int fd) {
    HandshakeStep result = HandshakeStep::failed;
    asio::steady_timer done(io_, asio::steady_timer::time_point::max());
    turns_.push_back({&layer, fd, &result, &done});
    if (turns_.size() == 1) asio::post(io_, [this] { take_turns(); });
    boost::system::error_code ignored;
    co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return result;
}

void HandshakeQueue::take_turns() {
    const TimePoint until = now() + round_time;
    do {
        serve_others_();
        const Turn turn = turns_.front();
        *turn.result = turn.layer->shake_hands(turn.fd);
        turn.done->cancel();
        turns_.pop_front();
    } while (!turns_.empty() && now() < until);
    if (!turns_.empty()) asio::post(io_, [this] { take_turns(); });
}

}  // namespace pgweir
