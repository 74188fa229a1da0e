// One pool (database entry, user): its waiting sessions and its server connections, as lists by worker, and its counts.
//
// Data and list work only. Not here: who gets what (Book), the bounds that pools share (Limits).
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "routing/client_fault.hpp"
#include "routing/ids.hpp"
#include "routing/pool_decisions.hpp"
#include "routing/pool_policy.hpp"
#include "routing/server_state.hpp"
#include "routing/session_settings.hpp"
#include "routing/slab.hpp"
#include "routing/time.hpp"

namespace pgweir {

inline constexpr std::uint32_t no_link = 0xffffffff;

enum class SessionState : std::uint8_t {
    idle, waiting, awaiting_welcome, linked,
    awaiting_own,    // wants a server connection of its own, and no bound leaves room for it yet
    opening_own,     // it is being opened
};

// A session as the book sees it.
struct SessionEntry {
    PoolId pool;
    WorkerId worker = no_worker;
    SessionState state = SessionState::idle;
    std::uint32_t previous = no_link;
    std::uint32_t next = no_link;
    ServerId server{};
    TimePoint since{};            // it has waited
    std::uint64_t ticket = 0;     // order of arrival in the queue, over all workers
};

// A server connection as the book sees it.
struct ServerEntry {
    PoolId pool;
    WorkerId worker = no_worker;       // its owner; while in transit, the one that gives it away
    WorkerId to = no_worker;           // in transit: the one that gets it
    ServerState state = ServerState::connecting;
    bool checked = false;              // has passed its check and serves the next session without another
    bool used = false;                 // a session has had it
    bool evicted_for_database = false; // counted as an eviction of that bound
    bool evicted_for_user = false;
    bool close_when_returned = false;
    std::uint32_t cancels = 0;         // cancel requests under way
    std::uint32_t epoch = 0;           // of the pool when it was opened
    std::uint32_t previous = no_link;
    std::uint32_t next = no_link;
    SessionId session{};
    SessionId owner{};                 // opened for this session alone (replication): never shared, never used again
    TimePoint connected_at{};
    TimePoint last_used_at{};
    TimePoint checked_at{};            // it has last passed a check
    Microseconds lifetime{};
};

using Sessions = Slab<SessionEntry, SessionId>;
using Servers = Slab<ServerEntry, ServerId>;

// A doubly linked list through `previous` and `next` of a slab's entries.
struct IndexList {
    std::uint32_t head = no_link;
    std::uint32_t tail = no_link;
    int count = 0;

    template <class Table>
    void push_front(Table& table, std::uint32_t index) {
        auto& entry = table.at(index);
        entry.previous = no_link;
        entry.next = head;
        (head == no_link ? tail : table.at(head).previous) = index;
        head = index;
        ++count;
    }
    template <class Table>
    void push_back(Table& table, std::uint32_t index) {
        auto& entry = table.at(index);
        entry.next = no_link;
        entry.previous = tail;
        (tail == no_link ? head : table.at(tail).next) = index;
        tail = index;
        ++count;
    }
    template <class Table>
    void remove(Table& table, std::uint32_t index) {
        auto& entry = table.at(index);
        (entry.previous == no_link ? head : table.at(entry.previous).next) = entry.next;
        (entry.next == no_link ? tail : table.at(entry.next).previous) = entry.previous;
        entry.previous = entry.next = no_link;
        --count;
    }
    bool empty() const { return count == 0; }
};

// What a pool keeps for each worker.
struct PoolShare {
    IndexList waiting;             // by arrival
    IndexList awaiting_welcome;    // logins that need the server's parameters
    IndexList idle;                // last used first
    IndexList awaiting_own;        // sessions that want a server connection of their own, and no bound leaves room yet
    int transit = 0;               // servers on their way to this worker
    int coming = 0;                // servers that will soon be free here: connecting, in transit, being checked or reset
};

// Why the pool cannot reach its server; text and SQLSTATE of the last failure.
struct PoolFailure {
    int attempts = 0;              // failed in a row
    TimePoint retry_at{};
    bool is_starting_up = false;   // 57P03: it will be there soon
    bool by_login = false;         // the server refused the login
    bool is_over = false;          // a login has succeeded since
    std::string sqlstate;
    std::string message;
};

// ParameterStatus values that a client is welcomed with.
struct Welcome {
    std::vector<std::pair<std::string, std::string>> values;
    SharedParameters tracked;
};

struct Pool {
    std::string database;
    std::string user;
    std::uint32_t database_bound = 0;    // places in Limits
    std::uint32_t user_bound = 0;
    std::shared_ptr<const PoolPolicy> policy;
    std::shared_ptr<const Welcome> welcome;
    PoolFailure failure;

    std::vector<PoolShare> shares;       // by worker
    IndexList connecting;
    std::array<int, static_cast<int>(ServerState::count_)> counts{};    // servers by state
    int sessions = 0;
    int waiting = 0;
    int awaiting_welcome = 0;
    int linked = 0;
    int logged_in = 0;                   // servers past their login and not closing
    int cancel_connections = 0;
    int awaiting_own = 0;
    int own_connecting = 0;
    IndexList own;                       // server connections of one session each, until they close
    bool is_refused = false;             // on Limits' list
    std::uint32_t epoch = 0;
    CloseReason marked_as = CloseReason::marked;     // why servers of earlier epochs are to be closed
    std::uint64_t called_until = 0;      // waiting sessions with a ticket up to this are to be refused …
    Fault called_fault = Fault::none;    // … with this
    TimePoint last_busy_at{};            // a session or a server was there

    int in_state(ServerState state) const { return counts[static_cast<std::size_t>(state)]; }
    int open_count = 0;                  // server connections whose socket is not closed yet
    int open() const { return open_count; }
    int coming() const;
    // Sessions that want a server connection: those waiting, and one for all logins that no login to the server will
    // welcome. A server that is logged in is none: after a RECONNECT its parameters are not those of the next one.
    int demand() const {
        const bool unwelcomed = awaiting_welcome > 0 && !welcome && connecting.empty();
        return unwelcomed ? std::max(waiting, coming() + 1) : waiting;
    }
    TimePoint oldest_wait_since(const Sessions& sessions_table) const;
    PoolLoad load(const Sessions& sessions_table, TimePoint now) const;
    // Server connections it would open if no other pool were there.
    int unmet(const Sessions& sessions_table, TimePoint now) const { return servers_to_open(load(sessions_table, now)); }
};

}  // namespace pgweir
