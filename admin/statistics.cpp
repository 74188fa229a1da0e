#include "admin/statistics.hpp"

#include <algorithm>

namespace pgweir {

namespace {

// Never negative: a total falls when a pool goes, and nobody did less than nothing.
Statistics difference(const Statistics& now, const Statistics& then) {
    Statistics growth;
    for (const auto field : statistics_fields) growth.*field = std::max<std::int64_t>(0, now.*field - then.*field);
    return growth;
}

std::int64_t divide(std::int64_t sum, std::int64_t by) { return by > 0 ? sum / by : 0; }

Statistics averages_of(const Statistics& growth, Microseconds span) {
    Statistics averages;
    const double seconds = static_cast<double>(span.count()) / 1e6;
    for (const auto field : statistics_fields)
        averages.*field = span.count() > 0 ? static_cast<std::int64_t>(static_cast<double>(growth.*field) / seconds) : 0;
    averages.transaction_time = divide(growth.transaction_time, growth.transactions);
    averages.query_time = divide(growth.query_time, growth.queries);
    averages.wait_time = divide(growth.wait_time, growth.server_assignments);
    return averages;
}

}  // namespace

Statistics& Statistics::operator+=(const Statistics& other) {
    for (const auto field : statistics_fields) this->*field += other.*field;
    return *this;
}

Statistics& Statistics::operator+=(const PoolCounters& counters) {
    return *this += Statistics{
        .server_assignments = counters.server_assignments.get(),
        .transactions = counters.transactions.get(),
        .queries = counters.queries.get(),
        .received = counters.received.get(),
        .sent = counters.sent.get(),
        .transaction_time = counters.transaction_time.get(),
        .query_time = counters.query_time.get(),
        .wait_time = counters.wait_time.get(),
        .client_parses = counters.client_parses.get(),
        .server_parses = counters.server_parses.get(),
        .binds = counters.binds.get(),
        .client_logins = counters.client_logins.get(),
    };
}

void StatsHistory::end_period(const DatabaseTotals& totals, TimePoint now) {
    before_last_ = std::move(last_);
    last_ = {.at = now, .totals = totals};
}

StatsView StatsHistory::view(const DatabaseTotals& totals, TimePoint now) const {
    StatsView view;
    Statistics growth_of_all;
    const auto span = now - before_last_.at;
    for (const auto& [database, total] : totals) {
        const auto then = before_last_.totals.find(database);
        const auto growth = difference(total, then == before_last_.totals.end() ? Statistics{} : then->second);
        view.databases.push_back({database, total, averages_of(growth, span)});
        view.overall.totals += total;
        growth_of_all += growth;
    }
    view.overall.averages = averages_of(growth_of_all, span);
    return view;
}

}  // namespace pgweir
