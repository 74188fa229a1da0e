// The proxy of the simulation: it carries out what the decision core decides, with the contract of the real one, on virtual
// time. Several workers, each with its own clients and servers; what one wants of another travels by delayed mail.
//
// It also keeps its own account of what it was told (who has which server, since when a session waits, how many servers are
// open) and holds the core's decisions against it, each time one is carried out.
// Not here: clients and servers outside (Client, Backend), what operators and bad luck do (World), the book's own
// consistency (BookInvariants).
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "routing/book.hpp"
#include "routing/client_session.hpp"
#include "tests/sim/backend.hpp"
#include "tests/sim/client.hpp"
#include "tests/sim/scenario.hpp"
#include "tests/sim/trace.hpp"

namespace pgweir::sim {

inline constexpr int host_workers_max = 4;

struct ClientEnd;

// Where a stream stands, counted apart from the core: inside a message or between two.
struct StreamPlace {
    std::string header;
    std::size_t rest = 0;  // of the message whose header has been seen

    void pass(Bytes bytes) {
        pass(bytes, [](char, std::size_t) {});
    }
    // … with each message's type and length as it begins.
    template <class Visit>
    void pass(Bytes bytes, Visit visit) {
        while (!bytes.empty()) {
            if (rest == 0) {
                header += bytes.front();
                bytes.remove_prefix(1);
                if (header.size() < 5) continue;
                for (std::size_t i = 1; i < 5; ++i) rest = rest << 8 | static_cast<unsigned char>(header[i]);
                visit(header.front(), rest);
                rest -= 4;
                header.clear();
            }
            const auto passed = std::min(rest, bytes.size());
            rest -= passed;
            bytes.remove_prefix(passed);
        }
    }
};

// The proxy's end of a server connection.
struct ServerEnd {
    enum class Stage { ordered, opening, ready, moving, closed };
    enum class Task { none, check, reset };

    int number = 0;
    ServerId id{};
    std::size_t pool = 0;
    WorkerId worker = no_worker;
    Stage stage = Stage::ordered;
    Task task = Task::none;
    std::unique_ptr<ServerSession> session;
    std::unique_ptr<Backend> backend;
    std::string kept_in;   // read, not used yet
    std::string kept_out;  // not taken by the socket yet
    ClientEnd* client = nullptr;
    int cancels_held = 0;  // cancel requests for it that are not over
    unsigned orders = 0;   // in its owner's mailbox
    WorkerId move_to = no_worker;
    std::array<std::array<TimePoint, host_workers_max>, host_workers_max> last_mail{};
    // For judging what it is used for.
    TimePoint opened_at{};
    TimePoint unused_since{};
    Microseconds lifetime{};  // as set when it was opened
    int grants = 0;
    int marks = 0;  // of its pool when it was opened
    ClientEnd* owner = nullptr;  // it was opened for this client alone
    TimePoint checked_at{};
    TimePoint arrived_at{};   // on its worker
    TimePoint released_at{};  // by the last cancel for it

    StreamPlace replies;          // of what has been used of its bytes
    bool is_doubtful = false;     // an error has come, and no reply since that tells what it has ended

    std::size_t told_now = 0;     // statements, by the client that has it
    std::size_t told_most = 0;    // … by one client at most

    TimePoint rests_since() const { return std::max({unused_since, checked_at, arrived_at, released_at}); }
};

// The proxy's end of a client connection.
struct ClientEnd {
    Client* outside = nullptr;
    std::size_t pool = 0;
    WorkerId worker = no_worker;
    SessionId id{};
    SharedParameters wanted;               // start-up parameters, until the welcome is there
    std::optional<ClientSession> session;  // none: it waits for its welcome
    std::string kept_in;
    std::string kept_out;
    ServerEnd* server = nullptr;
    bool open = true;
    bool resumes = false;  // its kept bytes are to be looked at
    bool counted = false;  // in Limits, by database and user
    TimePoint login_began{};
    // For judging how it ended.
    TimePoint waiting_since = never;
    TimePoint linked_since = never;
    TimePoint unlinked_since{};
    TimePoint lost_at = never;
    TimePoint welcome_seen_at = never;  // it still waits for it
    std::uint64_t place_in_queue = 0;   // 0: it does not wait
    bool owns = false;         // a replication client
    bool has_bad_parameter = false;
    bool was_killed = false;
    bool lost_its_server = false;
    bool cut_short = false;  // its server was closed before it had done all
    StreamPlace input_place;
    StreamPlace sent;           // of what has gone on to servers
    bool said_goodbye = false;  // … its Terminate too
    bool told_to_wait = false;
    bool may_keep = false;      // its server, which it has had in session mode
    Microseconds shortest_drain{};     // of the policies that it has had
    Fault server_fault = Fault::none;  // why its server was closed with it
    Fault ended_with = Fault::none;
};

class Host {
public:
    Host(EventQueue& events, SeededRandom& random, const Scenario& scenario, const Trace& trace, RunLog& runs);

    // A client connects and has authenticated itself.
    void admit(Client& client, const ClientPlan& plan);

    // Orders of an operator.
    void pause(const std::string& database, bool paused);
    void reconnect(std::size_t pool);
    void reload(std::size_t pool, PoolPolicy policy, SessionPolicy session);
    void set_bound(bool of_database, const BoundPlan& bound);
    void refuse_waiting(std::size_t pool);
    void kill(ClientEnd& client);
    void begin_shutdown();
    // A cancel request for this client arrives. False: nothing of it runs, so the request is dropped.
    bool cancel(ClientEnd& client);

    // Periodic work: the janitor's round, and the deadlines of sessions.
    void janitor();
    void check_deadlines();

    // Looking.
    const Book& book() const { return book_; }
    std::vector<std::unique_ptr<ClientEnd>>& clients() { return clients_; }
    std::vector<std::unique_ptr<ServerEnd>>& servers() { return servers_; }
    bool has_open_servers() const;
    bool has_cancels() const { return cancels_under_way_ > 0; }
    std::uint64_t decisions() const { return decisions_; }
    // Everything is over: nothing may be left anywhere.
    void check_nothing_left();

private:
    enum Order : unsigned { order_open = 1, order_move = 2, order_close = 4, order_arrive = 8 };
    struct LivePool {
        PoolId id{};
        std::shared_ptr<const PoolPolicy> policy;
        std::shared_ptr<const SessionPolicy> session;
        std::vector<std::unique_ptr<PoolCounters>> counters;  // by worker
        bool is_starting_up = false;  // by its last failure
        std::size_t statements_most = 0;    // by any of its settings so far
        int failures = 0;             // in a row
        int marks = 0;                // how often its servers were told to end
        int welcome_marks = 0;        // … when the one was opened whose welcome clients get
        TimePoint refused_at{};       // those who waited then are told to go
        TimePoint login_failed_at{};  // … or have been told by the server
        TimePoint told_at{};          // … when no other server was there
        TimePoint failed_at{};        // its last attempt
    };
    struct CancelRequest;

    TimePoint now() const { return events_.now(); }

    // host_book.cpp: calling the book and carrying out its actions.
    template <class Decide>
    void decide(WorkerId caller, Decide decide_it);  // host_decide.hpp
    BookActions& enter_book();
    void leave_book(WorkerId caller, const BookActions& out);
    void carry_out(WorkerId caller, const BookAction& action);
    void require_wanted(const BookAction& move);
    void begin_server(WorkerId caller, const BookAction& action);
    void require_within_bounds(const ServerEnd& server);
    void order(WorkerId caller, ServerEnd& server, Order what);
    void post(WorkerId from, WorkerId to, ServerEnd& server, Order what);
    void drain(ServerEnd& server, WorkerId worker);
    void run_order(ServerEnd& server, unsigned orders);
    void mail(WorkerId from, WorkerId to, EventQueue::Handler handler);
    void look_again(WorkerId worker, std::size_t pool);
    void tick(std::size_t pool);
    void settle();
    ServerEnd& server_of(ServerId id);
    ClientEnd& client_of(SessionId id);
    LivePool& live(std::size_t pool);
    std::size_t place_of(PoolId id) const;

    // host_servers.cpp: opening, reading, moving, closing.
    void begin_open(ServerEnd& server);
    void open_failed(ServerEnd& server, OpenFailure failure);
    void logged_in(ServerEnd& server);
    void grant(ClientEnd& client, ServerEnd& server);
    void serve(ServerEnd& server);
    void handle_input(ServerEnd& server);
    bool handle_unlinked(ServerEnd& server);
    void send(ServerEnd& server, Bytes bytes);
    void flush(ServerEnd& server);
    void begin_own_query(ServerEnd& server, ServerEnd::Task task);
    static void note_replies(ServerEnd& server, Bytes used);
    void give_away(ServerEnd& server);
    void take_in(ServerEnd& server);
    void server_gone(ServerEnd& server);
    void close(ServerEnd& server, bool half_sent = false);
    void close_socket(ServerEnd& server);

    // host_clients.cpp: logins, reading, actions of sessions, ends.
    void welcome(ClientEnd& client, const Welcome& welcome);
    SharedParameters parameters_of(const ClientEnd& client, SharedParameters server) const;
    void ask_own_server(ClientEnd& client);
    void take_own_server(ClientEnd& client, ServerEnd& server);
    void give_up_own_server(ServerEnd& server);
    void lose_server(ServerEnd& server, CloseReason reason);
    bool awaits_own(const ClientEnd& client) const;
    void end_login(ClientEnd& client, Fault fault);
    void serve(ClientEnd& client);
    bool may_read(const ClientEnd& client) const;
    void handle_input(ClientEnd& client);
    void carry_out(ClientEnd& client, Bytes input, const SessionActions& actions);
    void send_own(ClientEnd& client, OwnMessage message);
    void check_in(ClientEnd& client, bool sends);
    void write(ClientEnd& client, Bytes bytes);
    void flush(ClientEnd& client);
    void client_lost(ClientEnd& client);
    void unlink(ClientEnd& client);
    void end_client(ClientEnd& client, Fault fault);
    void close(ClientEnd& client, Fault fault);
    void make_ready(ClientEnd& client);
    void make_ready(ServerEnd& server);

    // host_judgement.cpp
    void require_explained(const ClientEnd& client, Fault fault);
    void require_well_spent(const ClientEnd& client, const ServerEnd& server, Fault fault);
    void require_timely(const ClientEnd& client);
    void check_login(ClientEnd& client);
    bool is_awaited(const ServerEnd& server);
    bool has_usable_server(std::size_t pool) const;
    void note_failure(const ServerEnd& server, const OpenFailure& failure);
    void require_deadline(const ClientEnd& client, bool is_looked_at);
    void require_in_order(const ClientEnd& client);
    void require_known_statements(const ServerEnd& server);
    void require_grantable(const ClientEnd& client, const ServerEnd& server);
    void require_turn(const ClientEnd& client);
    void require_fit(const ServerEnd& server);
    void require_check_due(const ServerEnd& server);
    void require_choice(const ServerEnd& server);
    void require_settled(std::size_t pool);
    void require_fresh(std::size_t pool);
    bool is_bound_full(const Pool& pool);
    void require_minimum(std::size_t pool, int open_before, bool has_opened);
    void require_knocking(std::size_t pool);
    Microseconds longest_wait(std::size_t pool) const;
    int size_now(std::size_t pool) const;
    void require_all_opened(std::size_t pool);
    void require_may_open(const ServerEnd& server);
    bool could_open(std::size_t pool, const Pool& instead) const;
    void require_turn_of_pool(const BookAction& open) const;
    void require_turn_of_owners(const ClientEnd& client);
    void require_within_keeping(const ServerEnd& server);
    void require_due_eviction(const ServerEnd& server);
    void require_told(const ClientEnd& client);
    void require_admission(const ClientEnd& client, Fault fault);

    // host_promises.cpp
    void require_worth_a_server(const ClientEnd& client);
    void note_sent(ClientEnd& client, Bytes bytes, bool is_made);
    void require_few_statements(ServerEnd& server);
    static void require_given_back(const ClientEnd& client);
    static bool must_cancel(const ClientEnd& client);
    void require_notified(const ClientEnd& client);
    std::array<bool, host_workers_max> workers_to_call(std::size_t pool) const;

    // host_cancels.cpp
    void connect_cancel(std::shared_ptr<CancelRequest> request);
    void confirm_cancel(const std::shared_ptr<CancelRequest>& request);
    void send_cancel(const std::shared_ptr<CancelRequest>& request, ServerEnd& server);
    void end_cancel(const CancelRequest& request);
    void packet_arrives(const CancelRequest& request, ServerEnd& server);
    std::uint32_t request_to_cancel(const ClientEnd& client) const;

    EventQueue& events_;
    SeededRandom& random_;
    const Scenario& scenario_;
    const Trace& trace_;
    RunLog& runs_;
    SeededRandom core_random_;
    TrackedParameters tracked_;
    StatementCatalog statements_;
    Book book_;
    std::vector<std::unique_ptr<ParameterCatalog>> catalogs_;  // by worker
    std::vector<LivePool> pools_;                              // as in the scenario
    std::vector<std::unique_ptr<ClientEnd>> clients_;
    std::vector<std::unique_ptr<ServerEnd>> servers_;
    std::map<SessionId, ClientEnd*> by_session_;
    std::map<ServerId, ServerEnd*> by_server_;
    std::deque<ClientEnd*> ready_clients_;
    std::deque<ServerEnd*> ready_servers_;
    std::vector<std::unique_ptr<BookActions>> action_buffers_;
    std::size_t depth_ = 0;
    bool settling_ = false;
    bool shutting_down_ = false;
    TimePoint unsettled_until_{};  // a pause has begun or ended, and not every worker has been called since
    int cancels_under_way_ = 0;
    std::uint64_t queue_places_ = 0;
    std::uint64_t decisions_ = 0;
    int closed_as_idle_ = 0;  // in the janitor's round under way
    std::map<std::string, int> database_bounds_;
    std::map<std::string, int> user_bounds_;
};

}  // namespace pgweir::sim
