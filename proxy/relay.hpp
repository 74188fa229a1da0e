// The hot path of one worker: sockets that are ready, bytes from one side to the other, and the orders of the book.
//
// Readiness and non-blocking calls only: readable → recv into the scratch buffer → the session decides → send straight
// to the other socket. What `send` does not take is kept, and the other side is not read until it has gone.
// Promises: the scratch buffer belongs to the event being handled: code reached from inside it may send, never recv
//           (the ready list does); nothing is freed while an event is handled.
// Not here: decisions (ClientSession, Book), logins and connects (coroutines of Worker).
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "proxy/book_host.hpp"
#include "proxy/client_connection.hpp"
#include "proxy/poller.hpp"
#include "proxy/server_connection.hpp"
#include "routing/slab.hpp"

namespace pgweir {

// What the relay asks of the slow paths around it.
class RelayHost {
public:
    virtual ~RelayHost() = default;
    virtual void open_server(ServerConnection& server) = 0;          // connect and log in; then `add_server`
    virtual void abandon_open(ServerConnection& server) = 0;         // it is to be closed instead
    virtual void cancel_running(ServerConnection& server) = 0;       // our own cancel request for a lost client
    virtual void client_gone(const ClientConnection& client) = 0;    // its cancel key and its counts can go
    virtual void welcome_arrived(SessionId session, Fault fault) = 0;   // a login that waited for parameters, or its own server
    virtual void deadline_armed() = 0;
    // Readiness of what is on the poller beside the relay's own: logins, listeners.
    virtual void on_poll_event(const PollToken& token) = 0;
    virtual StatementSource& statements() = 0;                       // of the process; safe from any thread
    virtual bool compat_error_codes() const = 0;
    virtual bool log_disconnections() const = 0;
    virtual bool log_pooler_errors() const = 0;
};

class Relay {
public:
    static constexpr std::size_t scratch_bytes = 64 * 1024;
    static constexpr std::size_t unlinked_read_bytes = 4096;    // a session without a server keeps what it has read
    static constexpr std::size_t output_held_max = 64 * 1024;   // kept for a client that is still read from
    // A pause between events that is waited for on the relay's own poller.
    static constexpr Microseconds pause_short{12'000};
    static constexpr int reads_max = 5;                         // of one socket before the next gets a turn

    // A test's way to have threads meet at bad moments: called before orders of other workers are carried out. Null
    // outside tests; set before threads start.
    static inline void (*stall)() = nullptr;

    Relay(WorkerId worker, BookHost& book_host, RelayHost& host);
    ~Relay();

    Poller& poller() { return poller_; }
    Mailbox& mailbox() { return mailbox_; }
    ParameterCatalog& catalog() { return catalog_; }

    // Handles what is ready, for about a millisecond at most. With `may_wait` it waits for more, for as long as a pause is
    // short. True: there may be more at once; false: there was nothing any more.
    bool run_batch(bool may_wait = false);
    bool is_in_batch() const { return in_batch_; }
    // Whoever was served by the last batch was served until then.
    TimePoint served_at() const { return served_at_; }
    // Ends a batch that waits, soon: there is work outside of the relay. From any thread.
    void end_batch() {
        batch_ends_.store(true, std::memory_order_release);
        poller_.wake();
    }
    // Sessions whose deadline has passed, closings that take too long.
    void tick(TimePoint at);
    bool has_deadlines() const { return deadlines_armed_; }

    // A client that has logged in; `welcome` is sent first, `leftover` has been read already. `is_polled`: the poller has its
    // socket under another token.
    ClientConnection& add_client(Transport transport, bool is_polled, ClientSession session, SessionId id, std::shared_ptr<PoolContext> context,
                                 std::unique_ptr<ClientDetails> details, Bytes welcome, Bytes leftover);
    // A server that has logged in.
    void add_server(ServerConnection& server, Bytes leftover);
    // An attempt that failed.
    void open_failed(ServerConnection& server, const OpenFailure& failure);
    void look_again(PoolId pool);

    ClientConnection* find(SessionId id);
    ServerConnection* find(ServerId id);
    // Ends sessions (of one pool, or all) for a reason from outside.
    void end_clients(const PoolContext* pool, Fault fault);
    void end_client(ClientConnection& client, Fault fault);
    void set_policy(ClientConnection& client, std::shared_ptr<const SessionPolicy> policy) {
        client.session.set_policy(std::move(policy), client.server != nullptr ? &client.server->session : nullptr);
        note_deadline(client);
    }
    void close_servers(const PoolContext* pool, CloseReason reason);

    // SUSPEND (relay_suspend.cpp): what has been read goes on its way, nothing more is read; deadlines rest.
    void suspend();
    void resume();
    // Clients for whom bytes are still kept on their way, in either direction.
    int unflushed_clients();
    void end_unflushed_clients(Fault fault);
    // Calls the book and carries out what it says.
    template <class Decide>
    void decide(Decide decide_it) {
        refresh_now();
        host_book_.call(worker_, book_actions_, decide_it);
        take_book_actions();
        settle();
    }

    template <class Visit>
    void each_client(Visit visit) {
        for (std::uint32_t i = 0; i < clients_.index_end(); ++i)
            if (clients_.holds(i) && !clients_.at(i).buried) visit(clients_.at(i));
    }
    template <class Visit>
    void each_server(Visit visit) {
        for (std::uint32_t i = 0; i < servers_.index_end(); ++i)
            if (servers_.holds(i)) visit(*servers_.at(i));
    }
    std::uint32_t client_count() const { return clients_.live(); }

private:
    void refresh_now();
    // At the end of whatever came in: what the book has decided meanwhile, then nobody holds on to what is gone.
    void settle() {
        if (!todo_.empty()) run_todo();
        if (!dead_clients_.empty() || !dead_servers_.empty()) bury_dead();
    }
    // relay.cpp: events, lists
    bool run_rounds(bool may_wait);
    bool is_over(std::size_t events, bool more);
    bool serve_newcomers(std::span<const epoll_event> events, PollKind kind, TimePoint until);
    void on_events(std::span<const epoll_event> events);
    void on_event(const PollToken& token, std::uint32_t events);
    void drain_mailbox();
    bool serve_ready_list();
    bool is_flushed(const ClientConnection& client) const;
    void make_ready(ClientConnection& client);
    void make_ready(ServerConnection& server);
    void bury_dead();

    // relay_client.cpp
    void on_client_event(ClientConnection& client, std::uint32_t events);
    void read_client(ClientConnection& client);
    bool read_further(ClientConnection& client);
    void read_when_writable(ClientConnection& client);
    void process_client(ClientConnection& client, Bytes input);
    bool may_read(const ClientConnection& client) const;
    void write_client(ClientConnection& client, Bytes bytes);
    void flush_client(ClientConnection& client);
    void client_drained(ClientConnection& client);
    void client_lost(ClientConnection& client);
    // `argument` and `sqlstate`: a server's own refusal, passed on.
    void close_client(ClientConnection& client, Fault fault, std::string_view argument = {}, std::string_view sqlstate = {});
    void bury(ClientConnection& client);
    void note_deadline(ClientConnection& client);
    void resume_client(ClientConnection& client);

    // relay_server.cpp
    void on_server_event(ServerConnection& server, std::uint32_t events);
    void resume_server(ServerConnection& server);
    void read_server(ServerConnection& server);
    void process_server(ServerConnection& server, Bytes input);
    bool process_unlinked(ServerConnection& server, Bytes& input);
    void send_server(ServerConnection& server, Bytes bytes);
    void flush_server(ServerConnection& server);
    void server_lost(ServerConnection& server, CloseReason reason);
    void close_server(ServerConnection& server, CloseReason reason);
    void free_server(ServerConnection& server);
    void begin_own_query(ServerConnection& server, OwnMessage what);

    // relay_streams.cpp
    void note_stream(ServerConnection& server, std::size_t bytes);
    void begin_stream(ServerConnection& server);
    void end_stream(ServerConnection& server);
    void look_at_streams();

    // relay_orders.cpp: actions of sessions and of the book
    void carry_out(ClientConnection& client, Bytes input, const SessionActions& actions);
    void carry_out_rare(ClientConnection& client, Bytes input, const SessionAction& action);
    void append_own_message(ClientConnection& client, ServerConnection& server, OwnMessage message);
    void check_out(ClientConnection& client);
    void check_in(ClientConnection& client, ServerConnection& server);
    void grant(ClientConnection& client, ServerConnection& server);
    void unlink(ClientConnection& client);
    void take_book_actions();
    void run_todo();
    void run_book_action(const BookAction& action);
    void end_refused(ClientConnection& client, Fault fault, const PoolFailure& failure);
    void serve_called(PoolId pool);
    void move_away(ServerConnection& server);
    void take_in(ServerConnection& server);
    void close_by_order(ServerConnection& server);
    void note_pairing_lost(std::string_view what, const ServerConnection& server);

    WorkerId worker_;
    BookHost& host_book_;
    RelayHost& host_;
    Poller poller_;
    Mailbox mailbox_;
    Slab<ClientConnection, ClientId> clients_;
    Slab<ServerConnection*, LocalServerId> servers_;
    std::vector<ClientConnection*> by_session_;          // by the index of the session's id
    std::vector<ServerConnection*> by_server_;           // by the index of the server's id; also while it connects
    std::vector<PollToken> ready_;
    std::vector<PollToken> serving_;
    std::vector<ClientId> dead_clients_;
    std::vector<ServerConnection*> dead_servers_;
    std::vector<BookAction> todo_;
    std::vector<LocalServerId> streams_;                 // servers whose sockets are marked
    std::vector<std::int64_t> deadlines_;                // of clients, by index, microseconds
    bool deadlines_armed_ = false;
    bool in_batch_ = false;
    bool has_turn_ = false;            // the poller's turn is set,
    bool turn_came_ = false;           // it has just come,
    bool is_quiet_ = false;            // and nothing else since the last one
    bool accepts_first_ = false;
    std::atomic<bool> batch_ends_{false};
    bool suspended_ = false;
    TimePoint now_{};
    TimePoint served_at_{};
    BookActions book_actions_;
    SessionActions client_actions_;
    SessionActions server_actions_;
    SessionActions event_actions_;
    ParameterCatalog catalog_;
    std::unique_ptr<char[]> scratch_;
};

}  // namespace pgweir
