// One client from its accepted socket to a session of the relay: its ClientLogin, what that looks up, what it is counted
// against, what the log says of it.
//
// Whoever drives it sends output() before it does what advance() asks for: Logins on the poller, as long as nothing but the
// client's own bytes is waited for; client_login(), a coroutine, where something else is.
// Not here: sockets.
#pragma once

#include "proxy/login_counts.hpp"
#include "proxy/worker.hpp"

namespace pgweir {

class TlsLayer;

class Login : public LoginView {
public:
    using Next = LoginNext;

    Login(Worker& worker, const Accepted& accepted);
    Login(const Login&) = delete;
    Login& operator=(const Login&) = delete;
    ~Login();

    // Carries out every step for which nothing has to be waited.
    Next advance();
    std::string& output() { return login_.output(); }

    void on_bytes(Bytes bytes) { login_.on_bytes(bytes); }
    void on_end() { login_.on_end(); }
    void on_derived(const ScramKeys& keys) { login_.on_derived(keys); }
    void on_tls_ready(const TlsLayer& layer);
    // `failure`: for the log; empty: the client has just gone.
    void on_tls_failed(const std::string& failure);
    void on_timeout();

    const ScramDerivation& derive_job() const { return login_.derive_job(); }
    bool derive_job_is_cacheable() const { return login_.derive_job_is_cacheable(); }
    const RunningConfig& config() const { return *config_; }
    Bytes leftover() const { return login_.leftover(); }
    // When the client must have logged in; `never`: no bound.
    TimePoint deadline() const;

    // The session that waits for its welcome, and how long it may.
    SessionId session() const { return session_; }
    TimePoint welcome_deadline() const;
    // True: it is there.
    bool on_welcome();
    void refuse_session(Fault fault);
    // The client has hung up meanwhile.
    void leave();

    // Replication: a server connection for this client alone is asked of the book. `none`, or why there will be none.
    Fault ask_own_server();
    const StartUpParameters& start_up() { return login_.result().parameters; }
    // It has logged in, as the client would have; both are the relay's afterwards.
    void begin_replication(Transport transport, ServerConnection& server, const ParameterList& reported, Bytes server_leftover);

    // The socket is the relay's afterwards; `is_polled`: its poller has it already.
    void begin_session(Transport transport, bool is_polled);
    void begin_console(int descriptor, std::unique_ptr<TransportLayer> layer);

    // LoginView
    ClientRow row() const override;
    std::uint64_t number() const override { return number_; }
    bool kill() override;

private:
    class Directory;

    bool is_own_user() const;
    std::string name() const;
    std::int64_t age() const;
    void log_attempt();
    void log_refusal() const;
    void log_refusal(const std::string& text) const;
    void log_close() const;
    void cancel() const;
    Next find_session();
    Fault passed_bound() const;
    std::unique_ptr<ClientDetails> details();
    bool is_replication() const { return replication_ != ReplicationKind::none; }
    SessionPolicy policy() const;
    void hand_over(Transport transport, bool is_polled, ClientSession client, const ParameterList& shown);

    Worker& worker_;
    Shared& shared_;
    std::shared_ptr<const RunningConfig> config_;
    std::unique_ptr<Directory> directory_;
    LoginCounts counts_;
    int fd_;
    std::uint64_t number_;
    TimePoint connected_at_;
    std::int64_t connected_unix_;
    PeerAddress peer_;
    ClientLogin login_;
    std::string tls_;                                // "TLSv1.3/…"; empty: none
    std::string tls_failure_;                        // why there is nothing to be said any more
    std::shared_ptr<const DatabaseEntry> entry_;
    std::shared_ptr<PoolContext> context_;
    SessionId session_{};
    ReplicationKind replication_ = ReplicationKind::none;
    std::shared_ptr<const Welcome> welcome_;
    TimePoint waiting_since_{};
};

// The coroutine for a login that waits for more than its client's bytes; `next` is what it asks for.
Task client_login(Worker& worker, std::unique_ptr<Login> login, Transport transport, Login::Next next);

}  // namespace pgweir
