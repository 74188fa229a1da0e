#include "tests/sim/book_invariants.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "tests/sim/failure.hpp"

namespace pgweir::sim {
namespace {

using State = ServerState;
constexpr Microseconds slack{333'000 + 60'000};

class Recount {
public:
    Recount(const Book& book, TimePoint now, int workers, bool waits_excused)
        : book_(book),
          now_(now),
          workers_(workers),
          waits_excused_(waits_excused) {}

    void check() {
        require(book_.broken_pairings() == 0, "the book counts {} broken pairings", book_.broken_pairings());
        each(book_.pools(),
             [&](PoolId id, const Pool&) { tallies_[id].shares.resize(static_cast<std::size_t>(workers_)); });
        each(book_.servers(), [&](ServerId id, const ServerEntry& server) { count_server(id, server); });
        each(book_.sessions(), [&](SessionId id, const SessionEntry& session) { count_session(id, session); });
        each(book_.pools(), [&](PoolId id, const Pool& pool) { check_pool(id, pool); });
        check_bounds();
        each(book_.pools(), [&](PoolId id, const Pool& pool) { check_waiting(id, pool); });
    }

private:
    struct Share {
        int waiting = 0, awaiting = 0, awaiting_own = 0, idle = 0, transit = 0, coming = 0;
    };
    struct Tally {
        int open = 0, logged_in = 0, sessions = 0, linked = 0, waiting = 0, awaiting = 0, idle = 0, coming = 0;
        int own = 0, own_connecting = 0, awaiting_own = 0;
        int states[static_cast<int>(State::count_)] = {};
        std::vector<Share> shares;
    };
    struct BoundTally {
        int servers = 0, closing = 0, evicting = 0, clients = 0;
    };

    template <class Table, class Visit>
    static void each(const Table& table, Visit visit) {
        for (std::uint32_t i = 0; i < table.index_end(); ++i)
            if (table.holds(i)) visit(table.id_of(i), table.at(i));
    }

    void count_server(ServerId id, const ServerEntry& server) {
        const Pool* pool = book_.pool(server.pool);
        require(pool != nullptr, "a server of a pool that is gone");
        Tally& tally = tallies_[server.pool];
        ++tally.open;
        ++tally.states[static_cast<int>(server.state)];
        if (server.owner && server.state != State::closing) {
            ++tally.own;
            tally.own_connecting += server.state == State::connecting ? 1 : 0;
            require(server.state == State::connecting || server.state == State::checked_out, "a client's own server is in state {}",
                    static_cast<int>(server.state));
        }
        if (!server.owner && server.state != State::connecting && server.state != State::closing) ++tally.logged_in;
        if (server.state == State::idle) {
            ++tally.idle;
            ++tally.shares[server.worker].idle;
        }
        const bool coming = (server.state == State::connecting && !server.owner) || server.state == State::checking ||
                            server.state == State::resetting || server.state == State::in_transit;
        if (coming) {
            ++tally.coming;
            ++tally.shares[server.state == State::in_transit ? server.to : server.worker].coming;
        }
        if (server.state == State::in_transit) ++tally.shares[server.to].transit;
        if (server.evicted_for_database) ++databases_[pool->database_bound].evicting;
        if (server.evicted_for_user) ++users_[pool->user_bound].evicting;
        if (server.state == State::closing) {
            ++databases_[pool->database_bound].closing;
            ++users_[pool->user_bound].closing;
        }
        ++databases_[pool->database_bound].servers;
        ++users_[pool->user_bound].servers;
        const SessionEntry* session = book_.sessions().find(server.session);
        if (session == nullptr) return;
        require(server.state == State::checked_out, "a server in state {} has a session",
                static_cast<int>(server.state));
        require(session->server == id && session->state == SessionState::linked,
                "a server has a session that does not have it");
    }

    void count_session(SessionId id, const SessionEntry& session) {
        Tally& tally = tallies_[session.pool];
        ++tally.sessions;
        Share& share = tally.shares[session.worker];
        if (session.state == SessionState::waiting) {
            ++tally.waiting;
            ++share.waiting;
        }
        if (session.state == SessionState::awaiting_welcome) {
            ++tally.awaiting;
            ++share.awaiting;
        }
        if (session.state == SessionState::awaiting_own) {
            ++tally.awaiting_own;
            ++share.awaiting_own;
        }
        if (session.state != SessionState::linked) return;
        ++tally.linked;
        const ServerEntry* server = book_.servers().find(session.server);
        require(server != nullptr && server->session == id, "a session is linked to a server that does not have it");
        require(server->pool == session.pool && server->worker == session.worker,
                "a session is linked across pools or workers");
    }

    void check_pool(PoolId id, const Pool& pool) {
        const Tally& tally = tallies_[id];
        require(pool.open() == tally.open, "pool {}: {} open, counted {}", pool.database, pool.open(), tally.open);
        require(pool.logged_in == tally.logged_in, "pool {}: {} logged in, counted {}", pool.database, pool.logged_in,
                tally.logged_in);
        require(pool.sessions == tally.sessions, "pool {}: {} sessions, counted {}", pool.database, pool.sessions,
                tally.sessions);
        require(pool.linked == tally.linked, "pool {}: {} linked, counted {}", pool.database, pool.linked,
                tally.linked);
        require(pool.waiting == tally.waiting, "pool {}: {} waiting, counted {}", pool.database, pool.waiting,
                tally.waiting);
        require(pool.awaiting_welcome == tally.awaiting, "pool {}: {} await a welcome, counted {}", pool.database,
                pool.awaiting_welcome, tally.awaiting);
        require(pool.awaiting_own == tally.awaiting_own, "pool {}: {} want their own, counted {}", pool.database, pool.awaiting_own,
                tally.awaiting_own);
        require(pool.own_connecting == tally.own_connecting, "pool {}: {} of clients' own connect, counted {}", pool.database,
                pool.own_connecting, tally.own_connecting);
        check_list(book_.servers(), pool.own, tally.own, "own", [&](const ServerEntry& server) { return server.pool == id && server.owner; });
        require(pool.cancel_connections >= 0, "pool {}: {} cancel connections", pool.database, pool.cancel_connections);
        for (int state = 0; state < static_cast<int>(State::count_); ++state)
            require(pool.counts[static_cast<std::size_t>(state)] == tally.states[state],
                    "pool {}: {} in state {}, counted {}", pool.database, pool.counts[static_cast<std::size_t>(state)],
                    state, tally.states[state]);
        for (int worker = 0; worker < workers_; ++worker) check_share(id, pool, worker);
        check_list(book_.servers(), pool.connecting, tally.states[static_cast<int>(State::connecting)] - tally.own_connecting, "connecting",
                   [&](const ServerEntry& server) { return server.pool == id && server.state == State::connecting && !server.owner; });
        require(pool.is_refused == (std::ranges::count(refused(), id) == 1),
                "pool {} is on the list of the refused, or not", pool.database);
    }

    void check_share(PoolId id, const Pool& pool, int worker) {
        const PoolShare& share = pool.shares[static_cast<std::size_t>(worker)];
        const Share& counted = tallies_[id].shares[static_cast<std::size_t>(worker)];
        require(share.transit == counted.transit, "pool {}: {} in transit, counted {}", pool.database, share.transit,
                counted.transit);
        require(share.coming == counted.coming, "pool {}: {} coming, counted {}", pool.database, share.coming,
                counted.coming);
        std::uint64_t ticket = 0;
        const auto in_order = [&](SessionState state) {
            return [&, state](const SessionEntry& session) {
                const bool later = session.ticket > ticket;
                ticket = session.ticket;
                return later && session.pool == id && session.state == state && session.worker == worker;
            };
        };
        check_list(book_.sessions(), share.waiting, counted.waiting, "waiting", in_order(SessionState::waiting));
        ticket = 0;
        check_list(book_.sessions(), share.awaiting_welcome, counted.awaiting, "awaiting",
                   in_order(SessionState::awaiting_welcome));
        ticket = 0;
        check_list(book_.sessions(), share.awaiting_own, counted.awaiting_own, "awaiting_own", in_order(SessionState::awaiting_own));
        check_list(book_.servers(), share.idle, counted.idle, "idle", [&](const ServerEntry& server) {
            return server.pool == id && server.state == State::idle && server.worker == worker && server.cancels == 0;
        });
    }

    template <class Table, class Belongs>
    static void check_list(const Table& table, const IndexList& list, int counted, const char* name, Belongs belongs) {
        int length = 0;
        std::uint32_t previous = no_link;
        for (std::uint32_t at = list.head; at != no_link; at = table.at(at).next) {
            require(table.holds(at) && table.at(at).previous == previous, "the list {} is torn", name);
            require(belongs(table.at(at)), "what does not belong there is on the list {}", name);
            require(++length <= counted, "the list {} is longer than what is in its state", name);
            previous = at;
        }
        require(list.tail == previous && list.count == length && length == counted,
                "the list {} has {} entries, says {}, counted {}", name, length, list.count, counted);
    }

    void check_bounds() {
        each(book_.sessions(), [&](SessionId, const SessionEntry& session) {
            const Pool* pool = book_.pool(session.pool);
            ++databases_[pool->database_bound].clients;
            ++users_[pool->user_bound].clients;
        });
        check_bounds_of(limits().databases(), databases_);
        check_bounds_of(limits().users(), users_);
    }

    static void check_bounds_of(const std::vector<SharedBound>& bounds, std::map<std::uint32_t, BoundTally>& tallies) {
        for (std::uint32_t i = 0; i < bounds.size(); ++i) {
            const BoundTally& tally = tallies[i];
            require(bounds[i].servers == tally.servers, "{}: {} permits, counted {}", bounds[i].name, bounds[i].servers,
                    tally.servers);
            require(bounds[i].evicting == tally.evicting, "{}: {} evicting, counted {}", bounds[i].name,
                    bounds[i].evicting, tally.evicting);
            require(bounds[i].clients <= tally.clients, "{}: {} clients, counted {}", bounds[i].name, bounds[i].clients,
                    tally.clients);
        }
    }

    // Sessions of this pool for whom a server should be opened, as far as its own size goes; without the reserve.
    int uncovered(PoolId id, const Pool& pool) {
        const Tally& tally = tallies_[id];
        if (book_.is_paused(pool)) return 0;
        int wanted = std::max(0, tally.waiting - tally.coming);
        const bool wants_welcome = tally.awaiting > 0 && !pool.welcome &&
                                   tally.states[static_cast<int>(State::connecting)] == tally.own_connecting;
        if (wants_welcome && tally.waiting <= tally.coming) wanted = 1;
        if (is_backing_off(pool)) wanted = 0;
        wanted += tally.awaiting_own;
        if (pool.policy->pool_size == 0) return wanted;
        return std::min(wanted, std::max(0, pool.policy->pool_size - tally.open));
    }

    // After a failed attempt the next one is the janitor's, and there is one at a time.
    bool is_backing_off(const Pool& pool) const {
        if (pool.failure.attempts == 0) return false;
        return !pool.connecting.empty() || now_ < pool.failure.retry_at + slack;
    }

    void check_waiting(PoolId id, const Pool& pool) {
        if (waits_excused_ || book_.is_paused(pool)) return;
        const Tally& tally = tallies_[id];
        require(tally.waiting <= tally.coming || tally.idle == 0,
                "pool {}: {} sessions wait, {} servers are coming, and {} are idle", pool.database, tally.waiting,
                tally.coming, tally.idle);
        const bool is_full = pool.policy->pool_size > 0 && tally.open >= pool.policy->pool_size + pool.policy->reserve_pool_size;
        require(!is_full || tally.idle == 0 || tally.states[static_cast<int>(State::closing)] >= tally.awaiting_own,
                "pool {}: {} want servers of their own, {} are idle", pool.database, tally.awaiting_own, tally.idle);
        if (pool.awaiting_welcome > 0 && pool.welcome) return;  // they are being called
        const int wanted = uncovered(id, pool);
        if (wanted == 0) return;
        const SharedBound& database = limits().databases()[pool.database_bound];
        const SharedBound& user = limits().users()[pool.user_bound];
        require(database.is_full() || user.is_full(),
                "pool {}/{}: a server is not opened though it may be: {} wait, {} await a welcome, {} open, {} coming",
                pool.database, pool.user, tally.waiting, tally.awaiting, tally.open, tally.coming);
        // Its own server that is being closed will bring the permit.
        if (!pool.is_refused && tally.states[static_cast<int>(State::closing)] > 0) return;
        require(pool.is_refused, "pool {}/{} was refused and is not on the list", pool.database, pool.user);
        if (database.is_full() && !user.is_full())
            check_evictions(id, database, databases_[pool.database_bound].closing);
        if (user.is_full() && !database.is_full()) check_evictions(id, user, users_[pool.user_bound].closing);
    }

    // `id` waits under this full bound, and under no other.
    void check_evictions(PoolId id, const SharedBound& bound, int closing) {
        int wanted = 0, idle = 0;
        for (const PoolId other_id : bound.pools) {
            const Pool& other = *book_.pool(other_id);
            const bool both_full =
                limits().databases()[other.database_bound].is_full() && limits().users()[other.user_bound].is_full();
            if (!both_full) wanted += uncovered(other_id, other);
            if (other_id != id) idle += tallies_[other_id].idle;
        }
        require(idle == 0 || closing >= wanted,
                "{} servers under {} are idle, {} sessions of another pool wait for its permits, {} closing", idle,
                bound.name, wanted, closing);
    }

    const Limits& limits() const { return const_cast<Book&>(book_).limits(); }
    const std::vector<PoolId>& refused() const { return const_cast<Book&>(book_).limits().refused(); }

    const Book& book_;
    TimePoint now_;
    int workers_;
    bool waits_excused_;
    std::map<PoolId, Tally> tallies_;
    std::map<std::uint32_t, BoundTally> databases_;
    std::map<std::uint32_t, BoundTally> users_;
};

}  // namespace

std::string describe_book(const Book& book) {
    std::string text;
    for (std::uint32_t i = 0; i < book.pools().index_end(); ++i) {
        if (!book.pools().holds(i)) continue;
        const Pool& pool = book.pools().at(i);
        text += fmt::format(
            "pool {} {}/{}: size {}, {} open, {} logged in, {} coming, {} waiting, {} await a welcome{}{}{}, states", i,
            pool.database, pool.user, pool.policy->pool_size, pool.open(), pool.logged_in, pool.coming(), pool.waiting,
            pool.awaiting_welcome, pool.welcome ? "" : " (none)", pool.is_refused ? ", refused" : "",
            pool.failure.attempts > 0 ? ", failing" : "");
        for (const int count : pool.counts) text += fmt::format(" {}", count);
        text += '\n';
    }
    for (const auto* bounds :
         {&const_cast<Book&>(book).limits().databases(), &const_cast<Book&>(book).limits().users()})
        for (const SharedBound& bound : *bounds)
            text += fmt::format("{}: {} servers of {}, {} evicting\n", bound.name, bound.servers, bound.servers_max,
                                bound.evicting);
    return text;
}

void check_book(const Book& book, TimePoint now, int workers, bool waits_excused) {
    Recount(book, now, workers, waits_excused).check();
}

}  // namespace pgweir::sim
