// SHOW POOLS, PEER_POOLS, DATABASES, PEERS, USERS: sorted by name, whatever order they were gathered in.

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <tuple>

#include "admin/show_rows.hpp"
#include "routing/setting_words.hpp"

namespace pgweir::rows {

namespace {

template <class Item, class Key>
std::vector<const Item*> sorted_by(const std::vector<Item>& items, Key key) {
    std::vector<const Item*> sorted;
    sorted.reserve(items.size());
    for (const auto& item : items) sorted.push_back(&item);
    std::sort(sorted.begin(), sorted.end(),
              [&](const Item* a, const Item* b) { return std::invoke(key, *a) < std::invoke(key, *b); });
    return sorted;
}

template <class Choice>
Cell word_or_null(const std::optional<Choice>& choice) {
    return choice ? Cell(word_of(*choice)) : Cell(std::nullopt);
}

// PgBouncer prints a user's sizes as text of this width, and nothing where none is set.
std::string size_text(const std::optional<int>& size) { return size ? fmt::format("{:>9}", *size) : std::string(); }

std::int64_t seconds_of(Microseconds span) { return span.count() / 1'000'000; }

}  // namespace

std::vector<Row> pools(const Inventory& inventory) {
    std::vector<Row> rows;
    const auto name = [](const PoolRow& pool) { return std::tie(pool.database, pool.user); };
    for (const auto* pool : sorted_by(inventory.pools, name)) {
        rows.push_back({
            pool->database, pool->user, pool->cl_active, pool->cl_waiting, pool->cl_active_cancel_req,
            pool->cl_waiting_cancel_req, pool->sv_active, pool->sv_active_cancel, pool->sv_being_canceled, pool->sv_idle,
            pool->sv_used, pool->sv_tested, pool->sv_login, seconds_of(pool->maxwait), pool->maxwait.count() % 1'000'000,
            word_of(pool->pool_mode), word_or_null(pool->load_balance_hosts),
        });
    }
    return rows;
}

std::vector<Row> peer_pools(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto* pool : sorted_by(inventory.peer_pools, &PeerPoolRow::peer_id)) {
        rows.push_back({pool->peer_id, pool->cl_active_cancel_req, pool->cl_waiting_cancel_req, pool->sv_active_cancel,
                        pool->sv_login});
    }
    return rows;
}

std::vector<Row> databases(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto* entry : sorted_by(inventory.databases, &DatabaseRow::name)) {
        rows.push_back({
            entry->name, entry->host, entry->port, entry->database, entry->force_user, entry->pool_size,
            entry->min_pool_size, entry->reserve_pool_size, seconds_of(entry->server_lifetime),
            word_or_null(entry->pool_mode), word_or_null(entry->load_balance_hosts), entry->max_connections,
            entry->current_connections, entry->max_client_connections, entry->current_client_connections,
            static_cast<int>(entry->paused), static_cast<int>(entry->disabled),
        });
    }
    return rows;
}

std::vector<Row> peers(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto* peer : sorted_by(inventory.peers, &PeerRow::peer_id))
        rows.push_back({peer->peer_id, peer->host, peer->port, peer->pool_size});
    return rows;
}

std::vector<Row> users(const Inventory& inventory) {
    std::vector<Row> rows;
    for (const auto* user : sorted_by(inventory.users, &UserRow::name)) {
        rows.push_back({user->name, size_text(user->pool_size), size_text(user->reserve_pool_size),
                        word_or_null(user->pool_mode), user->max_user_connections, user->current_connections,
                        user->max_user_client_connections, user->current_client_connections});
    }
    return rows;
}

}  // namespace pgweir::rows
