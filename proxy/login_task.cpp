// What a login waits for beside its client's bytes: a handshake, a hash, a server's parameters, a socket that takes no more.
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <sys/socket.h>

#include "proxy/clock.hpp"
#include "proxy/derive_task.hpp"
#include "proxy/hang_up.hpp"
#include "proxy/login.hpp"
#include "proxy/own_server.hpp"
#include "proxy/tls/handshake.hpp"

namespace pgweir {
namespace {

using Next = Login::Next;

int family_of(int fd) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
    return storage.ss_family;
}

// Shared with the timer's handler, which may run when the login is over.
struct LoginState : AsyncTransport {
    LoginState(asio::io_context& io, int fd) : AsyncTransport(Socket(io, asio::generic::stream_protocol(family_of(fd), 0), fd)), timer(io) {}

    asio::steady_timer timer;
    bool timed_out = false;
};

class LoginTask {
public:
    LoginTask(Worker& worker, std::unique_ptr<Login> login, Transport& transport)
        : worker_(worker), login_(std::move(login)), state_(std::make_shared<LoginState>(worker.io(), transport.fd())) {
        state_->layer = transport.take_layer();
        transport.release();    // the state has it
    }

    Task run(Next next) {
        arm_timeout();
        for (;;) {
            if (next != Next::session && !login_->output().empty()) {
                std::string bytes;
                bytes.swap(login_->output());
                co_await state_->write(bytes);
            }
            switch (next) {
                case Next::read: co_await read(); break;
                case Next::derive: {
                    const auto keys = co_await derive(worker_, login_->derive_job(), login_->derive_job_is_cacheable());
                    login_->on_derived(keys);
                    break;
                }
                case Next::negotiate_tls: co_await negotiate_tls(); break;
                case Next::await_welcome: next = co_await await_welcome(); continue;
                case Next::own_server:
                    if (co_await get_own_server()) co_return;
                    next = Next::closed;
                    continue;
                case Next::console: co_return begin_console();
                case Next::session: {
                    state_->timer.cancel();
                    co_return login_->begin_session(state_->release(), false);
                }
                case Next::closed: co_return close();
            }
            worker_.serve_relay_when_due();
            next = login_->advance();
        }
    }

private:
    void arm_timeout() {
        const TimePoint deadline = login_->deadline();
        if (deadline == never) return;
        state_->timer.expires_after(std::chrono::microseconds((deadline - now()).count()));
        state_->timer.async_wait([state = state_](const boost::system::error_code& error) {
            if (error) return;
            state->timed_out = true;
            state->cancel();
        });
    }

    Task read() {
        if (state_->timed_out) co_return login_->on_timeout();
        char buffer[2048];
        const std::size_t count = co_await state_->read(buffer, sizeof buffer);
        if (state_->timed_out)
            login_->on_timeout();
        else if (count == 0)
            login_->on_end();
        else
            login_->on_bytes({buffer, count});
    }

    // Of a slow key, or one that has begun and could not send all of its answer.
    Task negotiate_tls() {
        const auto outcome = co_await accept_tls(worker_, *state_, login_->config().tls->clients.context, login_->leftover());
        if (outcome.succeeded)
            login_->on_tls_ready(static_cast<const TlsLayer&>(*state_->layer));
        else if (state_->timed_out)
            login_->on_timeout();
        else
            login_->on_tls_failed(outcome.failure);
    }

    asio::awaitable<Next> await_welcome() {
        state_->timer.cancel();    // the wait has bounds of its own
        const SessionId session = login_->session();
        HangUpWatch hang_up(state_->socket, [this, session] { worker_.welcome_arrived(session, Fault::none); });
        for (;;) {
            const Fault fault = co_await worker_.wait_for_welcome(session, login_->welcome_deadline());
            if (hang_up.has_happened()) login_->leave();
            else if (fault != Fault::none) login_->refuse_session(fault);
            else if (login_->on_welcome()) co_return Next::session;
            else continue;
            hang_up.stop();
            co_return Next::closed;
        }
    }

    // The coroutine that opens the server ends the login, so that nothing comes in between. False: refused, or left.
    asio::awaitable<bool> get_own_server() {
        state_->timer.cancel();    // the wait has bounds of its own
        const SessionId session = login_->session();
        HangUpWatch hang_up(state_->socket, [this, session] { worker_.welcome_arrived(session, Fault::none); });
        bool is_served = false;
        Fault fault = Fault::none;
        {
            OwnServerRequest request(worker_, session, login_->start_up());
            request.on_ready = [&](ServerConnection& server, const ParameterList& reported, Bytes server_leftover) {
                is_served = true;
                hang_up.stop();
                login_->begin_replication(state_->release(), server, reported, server_leftover);
                worker_.welcome_arrived(session, Fault::none);
            };
            fault = login_->ask_own_server();
            if (fault == Fault::none) fault = co_await worker_.wait_for_welcome(session, login_->welcome_deadline());
        }
        if (is_served) co_return true;
        if (hang_up.has_happened()) login_->leave();
        else login_->refuse_session(fault);
        hang_up.stop();
        co_return false;
    }

    void begin_console() {
        state_->timer.cancel();
        boost::system::error_code ignored;
        const int descriptor = state_->socket.release(ignored);
        login_->begin_console(descriptor, std::move(state_->layer));
    }

    void close() {
        state_->timer.cancel();
        state_->release().close();
    }

    Worker& worker_;
    std::unique_ptr<Login> login_;
    std::shared_ptr<LoginState> state_;
};

}  // namespace

Task client_login(Worker& worker, std::unique_ptr<Login> login, Transport transport, Next next) {
    auto task = std::make_unique<LoginTask>(worker, std::move(login), transport);
    co_await task->run(next);
}

}  // namespace pgweir
