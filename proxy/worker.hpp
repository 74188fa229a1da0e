// One thread of the proxy: its io_context, its Relay, and the coroutines of the slow paths on it.
//
// Not here: the hot path (Relay), decisions (routing/).
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include "proxy/async_transport.hpp"
#include "proxy/relay.hpp"
#include "proxy/shared.hpp"
#include "proxy/tls/handshake_queue.hpp"
#include "proxy/welcome_waiters.hpp"

namespace pgweir {

using Task = asio::awaitable<void>;

struct ClientRow;
class Login;
class Logins;
class OwnServerRequest;

// What a login asks of whoever drives it.
enum class LoginNext : std::uint8_t {
    read,             // on_bytes() or on_end()
    derive,           // hash a password: on_derived()
    negotiate_tls,    // on_tls_ready() or on_tls_failed()
    console,          // begin_console()
    await_welcome,    // no server has told yet what clients are to be welcomed with: on_welcome(), or refuse_session()
    own_server,       // replication: ask_own_server(); then begin_replication() with it, or refuse_session()
    session,          // begin_session()
    closed,           // close the socket
};

struct Accepted {
    int fd = -1;
    bool is_unix = false;
    PeerAddress peer;
};

// A login under way, as consoles see it.
class LoginView {
public:
    virtual ClientRow row() const = 0;
    virtual std::uint64_t number() const = 0;
    // False: it does not wait for a server yet, and goes on.
    virtual bool kill() = 0;

protected:
    ~LoginView() = default;

private:
    friend class Worker;
    std::size_t place_ = 0;    // on its worker's list
};

class Worker : public WorkerPort, public RelayHost {
public:
    Worker(WorkerId id, Shared& shared, asio::thread_pool& helpers);
    ~Worker() override;

    // Runs on the calling thread until stop(); or on a thread of its own.
    void run();
    void start();
    void stop();    // from any thread
    void join();

    // Runs a coroutine of one connection here; an exception that leaves it is logged and costs that connection alone.
    void spawn(Task task);
    // One that the process cannot do without: an exception ends the process with a log line.
    void spawn_vital(Task task);

    // Calls `what` on this worker's thread, outside of a batch of the relay; from any thread.
    template <class What>
    void post(What what) {
        asio::post(io_, std::move(what));
        relay_.end_batch();
    }

    asio::io_context& io() { return io_; }
    Relay& relay() { return relay_; }
    Shared& shared() { return shared_; }
    asio::thread_pool& helpers() { return helpers_; }
    HandshakeQueue& handshakes() { return handshakes_; }
    WorkerId id() const { return id_; }

    // A connection that was accepted; on this worker's thread.
    void begin_login(const Accepted& accepted);
    // A login that has to wait for something else than its client's bytes.
    void spawn_login(std::unique_ptr<Login> login, Transport transport, LoginNext next);
    // Where a login goes on, of hundreds maybe: if those who are served have waited for long, they come first.
    void serve_relay_when_due();
    // A cancel request for a session of this worker; from any thread.
    void begin_cancel(SessionId session);

    // Called when that listening socket has a connection; worker 0's alone.
    std::function<void(std::uint32_t port)> on_listener_ready;

    // Clients here, those logging in too; read by whoever gives out new ones.
    std::atomic<int> clients{0};

    // The book will announce a welcome for this session, maybe before anybody waits for it.
    void expect_welcome(SessionId session) { welcome_waiters_.expect(session); }
    void forget_welcome(SessionId session) { welcome_waiters_.forget(session); }
    // Waits until the pool has a welcome for this session; Fault::none: it has.
    asio::awaitable<Fault> wait_for_welcome(SessionId session, TimePoint until);

    void add_login(LoginView& login) {
        login.place_ = login_views_.size();
        login_views_.push_back(&login);
    }
    void remove_login(LoginView& login) {
        login_views_.back()->place_ = login.place_;
        login_views_[login.place_] = login_views_.back();
        login_views_.pop_back();
    }
    template <class Visitor>
    void each_login(Visitor visit) {
        for (LoginView* login : login_views_) visit(*login);
    }

    // WorkerPort
    Mailbox& mailbox() override { return relay_.mailbox(); }
    void wake() override { relay_.poller().wake(); }
    void look_again_at(PoolId pool) override;

    // RelayHost
    void open_server(ServerConnection& server) override;
    void abandon_open(ServerConnection& server) override;
    void cancel_running(ServerConnection& server) override;
    void client_gone(const ClientConnection& client) override;
    void welcome_arrived(SessionId session, Fault fault) override;
    void deadline_armed() override;
    void on_poll_event(const PollToken& token) override;
    StatementSource& statements() override { return shared_.statements; }
    bool compat_error_codes() const override;
    bool log_disconnections() const override;
    bool log_pooler_errors() const override;

    struct OpenAttempt : AsyncTransport {
        explicit OpenAttempt(asio::io_context& io) : AsyncTransport(io), timer(io) {}
        asio::steady_timer timer;
        bool abandoned = false;
        bool timed_out = false;
    };

    void refresh_config();
    void forget_open(ServerConnection& server) { opening_.erase(&server); }
    // Logins that wait for a server connection of their own (OwnServerRequest); null: it has been given up.
    std::map<SessionId, OwnServerRequest*> own_requests;
    OwnServerRequest* own_request(SessionId session) const;
    void abandon_own(SessionId session);
    // Equal policies share one object: idle clients are many.
    std::shared_ptr<const SessionPolicy> shared_policy(std::shared_ptr<const SessionPolicy> policy);

private:
    void watch_poller(TimePoint last_event);
    void run_relay();
    void serve_relay();
    Task tick_while_armed();
    void spawn_counted(Task task);

    WorkerId id_;
    Shared& shared_;
    asio::thread_pool& helpers_;
    asio::io_context io_{1};
    asio::executor_work_guard<asio::io_context::executor_type> work_;
    HandshakeQueue handshakes_{io_, [this] { serve_relay(); }};
    Relay relay_;
    asio::posix::stream_descriptor poller_watch_;
    asio::steady_timer tick_timer_;
    bool ticking_ = false;
    std::shared_ptr<const RunningConfig> config_;
    std::unordered_map<ServerConnection*, std::shared_ptr<OpenAttempt>> opening_;
    WelcomeWaiters welcome_waiters_;
    std::vector<LoginView*> login_views_;
    std::vector<std::weak_ptr<const SessionPolicy>> policies_;
    // What is of the relay alone at the moment may wait on its poller, and is spared a turn of Asio for each event.
    int busy_elsewhere_ = 0;          // logins and connects under way as coroutines: they are Asio's
    bool comes_soon_ = false;         // the last pause between events was a short one
    TimePoint paused_at_{};
    std::unique_ptr<Logins> logins_;
    std::thread thread_;
};

// The slow paths, each in a file of its own.
Task open_server_connection(Worker& worker, ServerConnection& server, std::shared_ptr<Worker::OpenAttempt> attempt);
Task cancel_request(Worker& worker, SessionId session);

// A console login that succeeded, on its way to worker 0, where all consoles and orders live.
struct ConsoleStart {
    int descriptor = -1;
    std::unique_ptr<TransportLayer> layer;
    ClientLoginResult login;
    std::string leftover;
    PeerAddress peer;
    PeerAddress local;
    std::uint64_t number = 0;
    std::uint32_t database_bound = 0;    // the places in Limits that count it
    std::uint32_t user_bound = 0;
};
void begin_console(Worker& worker, ConsoleStart start);
// A cancel request whose key no session has: a console may. `from` names the request in the log.
void cancel_console(Worker& worker, std::string key, std::string from);

}  // namespace pgweir
