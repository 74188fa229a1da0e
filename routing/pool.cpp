#include "routing/pool.hpp"

#include <algorithm>

namespace pgweir {

int Pool::coming() const {
    return in_state(ServerState::connecting) - own_connecting + in_state(ServerState::in_transit) + in_state(ServerState::checking) +
           in_state(ServerState::resetting);
}

TimePoint Pool::oldest_wait_since(const Sessions& table) const {
    TimePoint oldest = never;
    for (const auto& share : shares) {
        if (!share.waiting.empty()) oldest = std::min(oldest, table.at(share.waiting.head).since);
        if (!share.awaiting_own.empty()) oldest = std::min(oldest, table.at(share.awaiting_own.head).since);
        if (!welcome && !share.awaiting_welcome.empty()) oldest = std::min(oldest, table.at(share.awaiting_welcome.head).since);
    }
    return oldest;
}

PoolLoad Pool::load(const Sessions& table, TimePoint now) const {
    const TimePoint oldest = demand() + awaiting_own > 0 ? oldest_wait_since(table) : never;
    const auto waited = oldest < now ? now - oldest : Microseconds{0};
    return {.open = open(), .coming = coming(), .waiting = demand(), .bound = opening_bound(*policy, waited), .own = awaiting_own};
}

}  // namespace pgweir
