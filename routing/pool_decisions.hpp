// The decisions of a pool as pure functions of numbers.
#pragma once

#include <algorithm>
#include <cstdint>

#include "routing/pool_policy.hpp"
#include "routing/time.hpp"

namespace pgweir {

struct PoolLoad {
    int open = 0;       // every server connection whose socket is not closed yet, those connecting too
    int coming = 0;     // of these: connecting, in transit, being checked or reset; no session's own
    int waiting = 0;    // sessions in the queue
    int bound = 0;      // 0: none
    int own = 0;        // sessions that want one for themselves, which none that is coming will be
};

// How many server connections to open now: one for each waiting session that has none coming, within the bound.
constexpr int servers_to_open(const PoolLoad& load) {
    const int wanted = std::max(0, load.waiting - load.coming) + load.own;
    if (load.bound == 0) return wanted;
    return std::min(wanted, std::max(0, load.bound - load.open));    // a lowered bound only lets the count fall
}

// The bound for opening: the reserve counts once the oldest waiter has waited long enough.
inline int opening_bound(const PoolPolicy& policy, Microseconds oldest_wait) {
    if (policy.pool_size == 0) return 0;
    const bool reserve = policy.reserve_pool_timeout.count() > 0 && oldest_wait >= policy.reserve_pool_timeout;
    return policy.pool_size + (reserve ? policy.reserve_pool_size : 0);
}

// Above this a server connection is closed when it is given back.
inline int keeping_bound(const PoolPolicy& policy) {
    return policy.pool_size == 0 ? 0 : policy.pool_size + policy.reserve_pool_size;
}

inline constexpr Microseconds first_retry{250'000};

// The pause after the `failures`-th failed attempt in a row: doubling from 250 ms up to `ceiling`, less up to a fifth of
// it by `chance`, so that many pools do not knock at the same moment.
inline Microseconds retry_pause(int failures, Microseconds ceiling, std::uint64_t chance) {
    const int doublings = std::clamp(failures - 1, 0, 20);
    const auto pause = std::min(Microseconds{first_retry.count() << doublings}, ceiling);
    return pause - Microseconds{static_cast<std::int64_t>(chance % 1000) * pause.count() / 5000};
}

// server_lifetime less up to a tenth by `chance`: servers opened together are not closed together.
inline Microseconds lifetime_with_jitter(Microseconds lifetime, std::uint64_t chance) {
    return lifetime - Microseconds{static_cast<std::int64_t>(chance % 1000) * lifetime.count() / 10000};
}

// A waiter of this worker is served first, unless one of another worker has waited this much longer: fairness is bounded,
// and most servers stay where they are.
inline constexpr Microseconds move_advantage{1'000};

}  // namespace pgweir
