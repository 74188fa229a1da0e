// The thin owner of all pools and limits, and the only way in: who gets which server connection, and whether one is
// opened, moved or closed.
//
// Decides and never acts: each call is one bounded decision; what is to be done stands in `out` afterwards.
// Promises: no server connection is opened beyond a bound in force, and none is lent twice;
//           no session waits while a permit or a server that it may use is free;
//           sessions of a pool are served in their order of arrival, but for `move_advantage` between workers.
// Not here: sockets and timers (proxy/), what a session sends (ClientSession). Not safe for several threads: BookHost
// holds the lock.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "routing/book_actions.hpp"
#include "routing/limits.hpp"
#include "routing/pool.hpp"
#include "routing/random_source.hpp"

namespace pgweir {

// How an attempt to open a server connection failed.
struct OpenFailure {
    CloseReason reason = CloseReason::connect_failed;
    std::string sqlstate;    // of the server's refusal; empty if it never answered
    std::string message;
};

// A session that `look_again` was about.
struct Called {
    SessionId session{};             // none: no more
    Fault fault = Fault::none;       // `none`: the welcome is there
};

class Book {
public:
    Book(int workers, RandomSource& random);

    // Pools and bounds. A pool is made when its first client logs in.
    PoolId find_pool(std::string_view database, std::string_view user);    // none: no such pool
    PoolId pool_for(std::string_view database, std::string_view user, std::shared_ptr<const PoolPolicy> policy, TimePoint now);
    void set_policy(PoolId pool, std::shared_ptr<const PoolPolicy> policy, TimePoint now, BookActions& out);
    // New maxima of a database entry or user (0: none). Lowered ones only let the count fall.
    void set_database_bound(std::string_view name, int servers_max, int clients_max, TimePoint now, BookActions& out);
    void set_user_bound(std::string_view name, int servers_max, int clients_max, TimePoint now, BookActions& out);

    // Sessions. A session is in the book from the end of its authentication until its client is gone. No id: the pool has
    // been removed meanwhile; `pool_for` makes it again.
    SessionId add_session(PoolId pool, WorkerId worker, TimePoint now);
    void remove_session(SessionId session, TimePoint now);
    // The session has a request. Grants at once, or it waits.
    void check_out(SessionId session, TimePoint now, BookActions& out);
    // A login needs the parameters that the pool's servers report; told by `look_again`. Null: it waits.
    std::shared_ptr<const Welcome> await_welcome(SessionId session, TimePoint now, BookActions& out);
    // A replication client: a server connection is opened for it alone, on its worker, as soon as the bounds leave room; its
    // login grants it. `none`, or why it cannot be.
    Fault ask_own_server(SessionId session, TimePoint now, BookActions& out);
    // Its deadline has passed, or its client is gone.
    void leave_queue(SessionId session);
    Called next_called(PoolId pool, WorkerId worker);
    // Brings waiting sessions and idle servers together that a pause has kept apart.
    void serve_waiting(PoolId pool, WorkerId worker, TimePoint now, BookActions& out);

    // Server connections; called by the worker that owns the server.
    void server_logged_in(ServerId server, TimePoint now, BookActions& out);
    void server_failed(ServerId server, const OpenFailure& failure, TimePoint now, BookActions& out);
    // What it reported at its login. Nothing changes if the pool has a welcome, or the server is from before the last mark.
    void set_welcome(ServerId server, std::shared_ptr<const Welcome> welcome, BookActions& out);
    void check_in(ServerId server, TimePoint now, BookActions& out);
    void reset_done(ServerId server, TimePoint now, BookActions& out);
    void check_passed(ServerId server, TimePoint now, BookActions& out);
    void arrived(ServerId server, TimePoint now, BookActions& out);
    // Its owner is closing it of its own accord (lost, dirty, a fault): nobody gets it any more.
    void server_lost(ServerId server, TimePoint now, BookActions& out);
    // Its socket is closed: the permits come back.
    void server_closed(ServerId server, TimePoint now, BookActions& out);

    // Cancel requests. `begin_cancel_connection` is false while the pool has as many connections as it may.
    bool begin_cancel_connection(PoolId pool);
    void end_cancel_connection(PoolId pool);
    // A cancel request for what this server runs is being sent: it is held back until `cancel_done`.
    void hold_for_cancel(ServerId server);
    void cancel_done(ServerId server, bool given_up, TimePoint now, BookActions& out);

    // Orders. A pause is complete when `open_servers` is zero.
    void pause(std::string_view database, bool paused);    // empty: all
    void disable(std::string_view database, bool disabled);
    // RECONNECT, or target_changed: servers end at their release. What failed with the old target says nothing of the new.
    void mark_for_close(PoolId pool, CloseReason reason = CloseReason::marked);
    void begin_shutdown() { shutting_down_ = true; }
    bool is_paused(const Pool& pool) const;
    bool all_paused() const { return all_paused_; }
    // Sessions that wait now are to be refused.
    void refuse_waiting(PoolId pool, Fault fault, BookActions& out);
    void remove_pool(PoolId pool);

    // The janitor's round for one pool: timeouts, retries, reserve, min_pool_size, what a reload or a pause left over.
    // True: `out` is full and the pool wants another call.
    bool tick(PoolId pool, TimePoint now, BookActions& out);

    // Looking.
    Slab<Pool, PoolId>& pools() { return pools_; }
    const Slab<Pool, PoolId>& pools() const { return pools_; }
    const Pool* pool(PoolId id) const { return pools_.find(id); }
    const Sessions& sessions() const { return sessions_; }
    const Servers& servers() const { return servers_; }
    Limits& limits() { return limits_; }
    const Limits& limits() const { return limits_; }
    // A server of this pool opened before the last mark is still there.
    bool has_marked_servers(PoolId pool) const;
    // This idle server must pass a check before a session gets it.
    bool needs_check(const ServerEntry& server, const Pool& pool, TimePoint now) const;
    // How often an invariant of the callers was found broken; each is a bug.
    std::uint64_t broken_pairings() const { return broken_pairings_; }

private:
    using State = ServerState;
    using Event = ServerEvent;

    bool shift(ServerEntry& server, Event event);
    static void count(Pool& pool, const ServerEntry& server, int by);
    ServerEntry* find(ServerId id, State expected);

    void place_or_replace(ServerId id, ServerEntry& server, TimePoint now, BookActions& out);
    void place(ServerId id, ServerEntry& server, TimePoint now, BookActions& out);
    void place_fit(ServerId id, ServerEntry& server, Pool& pool, TimePoint now, BookActions& out);
    void park(ServerId id, ServerEntry& server, TimePoint now, BookActions& out);
    void lend(ServerId id, ServerEntry& server, SessionId session, TimePoint now, BookActions& out);
    void send(ServerId id, ServerEntry& server, WorkerId to, BookActions& out);
    bool begin_check(ServerId id, ServerEntry& server, TimePoint now, BookActions& out);
    void close(ServerId id, ServerEntry& server, CloseReason reason, BookActions& out);
    void settle_returned(ServerId id, ServerEntry& server, TimePoint now, BookActions& out);
    void replace(const ServerEntry& server, TimePoint now, BookActions& out);
    void match_idle(Pool& pool, WorkerId caller, TimePoint now, BookActions& out);
    CloseReason must_close(const ServerEntry& server, const Pool& pool, TimePoint now) const;

    ServerId take_idle(Pool& pool, WorkerId worker);
    WorkerId worker_with_idle(const Pool& pool) const;
    WorkerId longest_waiting_elsewhere(const Pool& pool, WorkerId worker) const;
    void enqueue(SessionId id, SessionEntry& session, Pool& pool, SessionState state, TimePoint now);
    void dequeue(SessionId id, SessionEntry& session, Pool& pool);
    bool fails_fast(SessionId id, PoolId pool_id, Pool& pool, TimePoint now, BookActions& out);

    void open_servers(PoolId id, Pool& pool, TimePoint now, BookActions& out);
    bool open_one(PoolId id, Pool& pool, TimePoint now, BookActions& out, SessionId owner = {});
    bool open_next(PoolId id, Pool& pool, TimePoint now, BookActions& out);
    bool may_open(const Pool& pool, TimePoint now) const;
    bool opens_now(const Pool& pool, TimePoint now) const;
    int unmet_now(const Pool& pool, TimePoint now) const;
    SharedBound* full_bound(const Pool& pool);
    WorkerId worker_for_opening(const Pool& pool) const;
    void remember_refused(PoolId id, Pool& pool);
    int unmet_under(const SharedBound& bound, TimePoint now);
    void evict_for(PoolId id, Pool& pool, TimePoint now, BookActions& out);
    bool evict_one(SharedBound& bound, PoolId for_pool, BookActions& out);
    bool is_wanted_elsewhere(PoolId id, const Pool& pool, ServerEntry& server, TimePoint now);
    void permit_freed(TimePoint now, BookActions& out);
    void call_waiting(PoolId id, Pool& pool, Fault fault, BookActions& out);
    void look_again(PoolId id, const Pool& pool, BookActions& out);

    // book_own.cpp
    void open_own_servers(PoolId id, Pool& pool, TimePoint now, BookActions& out);
    bool open_own(PoolId id, Pool& pool, TimePoint now, BookActions& out);
    void make_room_for_own(Pool& pool, BookActions& out);
    bool lacks_room_for_own(const Pool& pool, TimePoint now);
    bool gives_way_to_own(const Pool& pool, TimePoint now);
    bool is_full(const Pool& pool, TimePoint now) const;
    std::uint32_t first_awaiting_own(const Pool& pool) const;
    void own_logged_in(ServerId id, ServerEntry& server, TimePoint now, BookActions& out);
    bool sweep_own(Pool& pool, BookActions& out);
    void unlink(ServerEntry& server, Pool& pool);
    void take_off(ServerId id, const ServerEntry& server, Pool& pool);

    bool sweep_idle(Pool& pool, TimePoint now, BookActions& out);
    void call_servable(PoolId id, const Pool& pool, BookActions& out);
    bool sweep_connecting(Pool& pool, BookActions& out);
    void keep_minimum(PoolId id, Pool& pool, TimePoint now, BookActions& out);

    int workers_;
    RandomSource* random_;
    Slab<Pool, PoolId> pools_;
    Sessions sessions_;
    Servers servers_;
    Limits limits_;
    std::uint64_t next_ticket_ = 1;
    std::uint64_t broken_pairings_ = 0;
    bool all_paused_ = false;
    bool shutting_down_ = false;
};

}  // namespace pgweir
