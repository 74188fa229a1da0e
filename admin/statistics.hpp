// The twelve statistics of a database: totals since the start, and averages over the last complete period and the one in
// progress.
//
// Counts and bytes are averaged per second, times (in microseconds) per query, transaction or assignment.
// Not here: counting (routing/counters.hpp), the log line (stats_log.hpp).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "routing/counters.hpp"
#include "routing/time.hpp"

namespace pgweir {

// Totals or averages.
struct Statistics {
    std::int64_t server_assignments = 0;
    std::int64_t transactions = 0;
    std::int64_t queries = 0;
    std::int64_t received = 0;            // bytes from clients
    std::int64_t sent = 0;                // bytes from servers
    std::int64_t transaction_time = 0;
    std::int64_t query_time = 0;
    std::int64_t wait_time = 0;
    std::int64_t client_parses = 0;
    std::int64_t server_parses = 0;
    std::int64_t binds = 0;
    std::int64_t client_logins = 0;

    Statistics& operator+=(const Statistics& other);
    // What one pool has counted on one worker.
    Statistics& operator+=(const PoolCounters& counters);
    bool operator==(const Statistics&) const = default;
};

// In the order of the columns of SHOW STATS.
inline constexpr auto statistics_fields = std::to_array<std::int64_t Statistics::*>({
    &Statistics::server_assignments, &Statistics::transactions, &Statistics::queries, &Statistics::received,
    &Statistics::sent, &Statistics::transaction_time, &Statistics::query_time, &Statistics::wait_time,
    &Statistics::client_parses, &Statistics::server_parses, &Statistics::binds, &Statistics::client_logins,
});

// By database name, the console's own included: the sum over its pools and workers.
using DatabaseTotals = std::map<std::string, Statistics, std::less<>>;

struct StatsRow {
    std::string database;                 // empty: all together
    Statistics totals;
    Statistics averages;
};

struct StatsView {
    std::vector<StatsRow> databases;      // sorted by name
    StatsRow overall;
};

class StatsHistory {
public:
    explicit StatsHistory(TimePoint start) : last_{.at = start, .totals = {}}, before_last_(last_) {}

    // Call every stats_period: a period is complete, the next one begins.
    void end_period(const DatabaseTotals& totals, TimePoint now);

    // One row for each database in `totals`. Right after `end_period` the averages are those of the period just ended.
    StatsView view(const DatabaseTotals& totals, TimePoint now) const;

private:
    struct Sample {
        TimePoint at;
        DatabaseTotals totals;
    };

    Sample last_;           // where the period in progress began
    Sample before_last_;    // where the last complete one began
};

}  // namespace pgweir
