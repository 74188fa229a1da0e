#include "routing/servers_allowed.hpp"

#include <algorithm>
#include <vector>

namespace pgweir {
namespace {

int left_of_pool(const Pool& pool, int unbounded) {
    const int bound = keeping_bound(*pool.policy);
    return bound == 0 ? unbounded : std::max(0, bound - pool.open());
}

// The pools' sum under each bound, cut to what that bound has left.
long long sum_within(const std::vector<SharedBound>& bounds, const std::vector<long long>& wanted) {
    long long sum = 0;
    for (std::size_t i = 0; i < bounds.size(); ++i) {
        const SharedBound& bound = bounds[i];
        sum += bound.servers_max == 0 ? wanted[i] : std::min<long long>(wanted[i], std::max(0, bound.servers_max - bound.servers));
    }
    return sum;
}

}  // namespace

int servers_still_allowed(const Book& book, int unbounded) {
    const Limits& limits = book.limits();
    std::vector<long long> by_database(limits.databases().size());
    std::vector<long long> by_user(limits.users().size());
    const auto& pools = book.pools();
    for (std::uint32_t i = 0; i < pools.index_end(); ++i) {
        if (!pools.holds(i)) continue;
        const int left = left_of_pool(pools.at(i), unbounded);
        by_database[pools.at(i).database_bound] += left;
        by_user[pools.at(i).user_bound] += left;
    }
    const auto sum = std::min(sum_within(limits.databases(), by_database), sum_within(limits.users(), by_user));
    return static_cast<int>(std::min<long long>(sum, unbounded));
}

}  // namespace pgweir
