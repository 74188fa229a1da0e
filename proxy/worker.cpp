#include "proxy/worker.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "proxy/clock.hpp"
#include "proxy/log.hpp"
#include "proxy/logins.hpp"

namespace pgweir {
namespace {

constexpr std::chrono::milliseconds tick_period{333};
constexpr Microseconds relay_wait_max{500};

// An exception costs the connection whose coroutine it has left, no more.
void report(const std::exception_ptr& error) {
    try {
        if (error) std::rethrow_exception(error);
    } catch (const std::exception& what) {
        log(LogLevel::error, "a connection was given up: {}", what.what());
    }
}

}  // namespace

Worker::Worker(WorkerId id, Shared& shared, asio::thread_pool& helpers)
    : id_(id), shared_(shared), helpers_(helpers), work_(asio::make_work_guard(io_)), relay_(id, shared.book, *this),
      poller_watch_(io_, relay_.poller().fd()), tick_timer_(io_), config_(shared.config.get()),
      logins_(std::make_unique<Logins>(*this)) {
    shared.book.attach(id, *this);
    shared.workers[id] = this;
    watch_poller(now());
}

Worker::~Worker() { poller_watch_.release(); }

void Worker::run() {
    try {
        io_.run();
    } catch (const std::exception& error) {
        // What is half done cannot be trusted: the process ends, and whoever watches it starts it again.
        log(LogLevel::fatal, "worker {}: {}", id_, error.what());
        close_log();
        std::abort();
    }
}

void Worker::spawn(Task task) {
    asio::co_spawn(io_, std::move(task), [](std::exception_ptr error) { report(error); });
}

void Worker::spawn_vital(Task task) {
    asio::co_spawn(io_, std::move(task), [](std::exception_ptr error) {
        if (error) std::rethrow_exception(error);    // out of run(): see there
    });
}

void Worker::start() {
    thread_ = std::thread([this] { run(); });
}
void Worker::stop() { io_.stop(); }
void Worker::join() {
    if (thread_.joinable()) thread_.join();
}

// One Asio wait a batch, not a message.
void Worker::watch_poller(TimePoint last_event) {
    paused_at_ = last_event;
    poller_watch_.async_wait(asio::posix::stream_descriptor::wait_read, [this](const boost::system::error_code& error) {
        if (error) return;
        comes_soon_ = now() - paused_at_ < Relay::pause_short;
        run_relay();
    });
}

// A pause on Asio's poller costs three system calls, one on the relay's own none beside the wait. So while events come in
// close order and nobody waits for Asio, it gets its turn once a millisecond only.
void Worker::run_relay() {
    const bool waits = comes_soon_ && busy_elsewhere_ == 0;
    if (relay_.run_batch(waits))
        asio::post(io_, [this] { run_relay(); });
    else
        watch_poller(waits ? now() - Relay::pause_short : now());
}

// Out of turn, from Asio's side. What is left over comes in its turn.
void Worker::serve_relay() {
    if (relay_.run_batch()) relay_.poller().wake();
}

void Worker::serve_relay_when_due() {
    if (!relay_.is_in_batch() && now() - relay_.served_at() >= relay_wait_max) serve_relay();
}

// Asio has something to do until its end.
void Worker::spawn_counted(Task task) {
    ++busy_elsewhere_;
    relay_.end_batch();
    asio::co_spawn(io_, std::move(task), [this](std::exception_ptr error) {
        --busy_elsewhere_;
        report(error);
    });
}

void Worker::begin_login(const Accepted& accepted) {
    serve_relay_when_due();
    logins_->begin(accepted);
}

void Worker::spawn_login(std::unique_ptr<Login> login, Transport transport, LoginNext next) {
    spawn_counted(client_login(*this, std::move(login), std::move(transport), next));
}

void Worker::on_poll_event(const PollToken& token) {
    if (token.kind == PollKind::login)
        logins_->on_event(token);
    else if (on_listener_ready)
        on_listener_ready(token.index);
}

void Worker::begin_cancel(SessionId session) {
    post([this, session] { spawn(cancel_request(*this, session)); });
}

void Worker::look_again_at(PoolId pool) {
    post([this, pool] { relay_.look_again(pool); });
}

void Worker::open_server(ServerConnection& server) {
    auto attempt = std::make_shared<OpenAttempt>(io_);
    attempt->abandoned = server.owner && own_request(server.owner) == nullptr;
    opening_[&server] = attempt;
    // Through the queue: the relay is in the middle of something.
    post([this, &server, attempt] {
        spawn_counted(open_server_connection(*this, server, attempt));
    });
}

void Worker::abandon_open(ServerConnection& server) {
    const auto found = opening_.find(&server);
    if (found == opening_.end()) return;
    found->second->abandoned = true;
    found->second->cancel();
}

OwnServerRequest* Worker::own_request(SessionId session) const {
    const auto found = own_requests.find(session);
    return found == own_requests.end() ? nullptr : found->second;
}

void Worker::abandon_own(SessionId session) {
    for (const auto& [server, attempt] : opening_) {
        if (server->owner != session) continue;
        server->close_reason.store(static_cast<std::uint8_t>(CloseReason::replication_client_closed));
        attempt->abandoned = true;
        attempt->cancel();
    }
}

void Worker::cancel_running(ServerConnection& server) {
    if (server.client != nullptr) begin_cancel(server.client->id);
}

void Worker::client_gone(const ClientConnection& client) {
    clients.fetch_sub(1, std::memory_order_relaxed);
    {
        std::lock_guard lock(shared_.cancel_mutex);
        shared_.cancel_keys.revoke(client.details->cancel_key);
    }
    shared_.book.look([&](Book& book) {
        book.limits().release_from(client.details->database_bound, client.details->user_bound);
        book.limits().release_client();
    });
}

void Worker::welcome_arrived(SessionId session, Fault fault) { welcome_waiters_.arrived(session, fault); }

asio::awaitable<Fault> Worker::wait_for_welcome(SessionId session, TimePoint until) {
    asio::steady_timer timer(io_);
    if (until != never)
        timer.expires_after(std::chrono::microseconds((until - now()).count()));
    else
        timer.expires_at(asio::steady_timer::time_point::max());
    const bool sleeps = welcome_waiters_.sleep(session, [&timer] { timer.cancel(); });
    boost::system::error_code ignored;
    if (sleeps) co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    co_return welcome_waiters_.take(session).value_or(Fault::client_login_timeout_server_down);
}

void Worker::deadline_armed() {
    if (ticking_) return;
    ticking_ = true;
    spawn_vital(tick_while_armed());
}

Task Worker::tick_while_armed() {
    do {
        tick_timer_.expires_after(tick_period);
        boost::system::error_code error;
        co_await tick_timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        if (error) break;
        relay_.tick(now());
        logins_->tick(now());
    } while (relay_.has_deadlines() || !logins_->empty());
    ticking_ = false;
}

std::shared_ptr<const SessionPolicy> Worker::shared_policy(std::shared_ptr<const SessionPolicy> policy) {
    std::erase_if(policies_, [](const auto& known) { return known.expired(); });
    for (const auto& known : policies_)
        if (auto same = known.lock(); same && *same == *policy) return same;
    policies_.push_back(policy);
    return policy;
}

void Worker::refresh_config() { config_ = shared_.config.get(); }
bool Worker::compat_error_codes() const { return config_->settings->compat_error_codes; }
bool Worker::log_disconnections() const { return config_->settings->log_disconnections; }
bool Worker::log_pooler_errors() const { return config_->settings->log_pooler_errors; }

}  // namespace pgweir
