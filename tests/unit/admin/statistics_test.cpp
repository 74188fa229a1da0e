// Averages from totals, and the log line made of them.

#include "admin/statistics.hpp"

#include "admin/stats_log.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

namespace {

constexpr TimePoint at_second(std::int64_t seconds) { return {seconds * 1'000'000}; }

DatabaseTotals totals(std::int64_t queries, std::int64_t query_time = 0) {
    return {{"app", {.queries = queries, .query_time = query_time}}};
}

std::int64_t average_queries(const StatsHistory& history, std::int64_t queries, std::int64_t second) {
    return history.view(totals(queries), at_second(second)).databases.at(0).averages.queries;
}

}  // namespace

TEST_CASE("before a period is complete, averages go back to the start") {
    const StatsHistory history(at_second(100));
    CHECK(average_queries(history, 50, 110) == 5);
    CHECK(average_queries(history, 50, 100) == 0);    // no time has passed
}

TEST_CASE("averages cover the last complete period and the one in progress") {
    StatsHistory history(at_second(0));
    history.end_period(totals(600), at_second(60));
    CHECK(average_queries(history, 600, 60) == 10);
    CHECK(average_queries(history, 900, 90) == 10);
    history.end_period(totals(1200), at_second(120));
    CHECK(average_queries(history, 1200, 120) == 10);
    CHECK(average_queries(history, 3000, 180) == 20);  // since second 60
    history.end_period(totals(3000), at_second(180));
    CHECK(average_queries(history, 3000, 180) == 30);  // since second 120
}

TEST_CASE("counts are averaged per second, times per query, transaction or assignment") {
    const StatsHistory history(at_second(0));
    const DatabaseTotals all{{"app",
                              {.server_assignments = 40, .transactions = 50, .queries = 100, .received = 2'000, .sent = 4'000,
                               .transaction_time = 5'000, .query_time = 7'000, .wait_time = 8'000, .client_parses = 10,
                               .server_parses = 20, .binds = 30, .client_logins = 60}}};
    const auto row = history.view(all, at_second(10)).databases.at(0);
    CHECK(row.totals == all.at("app"));
    CHECK(row.averages == Statistics{.server_assignments = 4, .transactions = 5, .queries = 10, .received = 200, .sent = 400,
                                     .transaction_time = 100, .query_time = 70, .wait_time = 200, .client_parses = 1,
                                     .server_parses = 2, .binds = 3, .client_logins = 6});
}

TEST_CASE("times without a query average to nothing") {
    const StatsHistory history(at_second(0));
    CHECK(history.view(totals(0, 500), at_second(10)).databases.at(0).averages.query_time == 0);
}

TEST_CASE("a total that fell, as when a pool goes, averages to nothing and not below") {
    StatsHistory history(at_second(0));
    history.end_period(totals(600), at_second(60));
    history.end_period(totals(600), at_second(120));
    CHECK(average_queries(history, 10, 180) == 0);
}

TEST_CASE("databases are sorted, and their sum has averages of its own") {
    const StatsHistory history(at_second(0));
    const DatabaseTotals all{{"b", {.queries = 1, .query_time = 100}}, {"a", {.queries = 9, .query_time = 900}}};
    const auto view = history.view(all, at_second(5));
    REQUIRE(view.databases.size() == 2);
    CHECK(view.databases[0].database == "a");
    CHECK(view.databases[1].database == "b");
    CHECK(view.overall.totals.queries == 10);
    CHECK(view.overall.averages.queries == 2);
    CHECK(view.overall.averages.query_time == 100);
}

TEST_CASE("what pools count adds up") {
    PoolCounters counters;
    counters.queries.add(3);
    counters.wait_time.add(70);
    counters.client_logins.add();
    Statistics sum;
    sum += counters;
    sum += counters;
    CHECK(sum == Statistics{.queries = 6, .wait_time = 140, .client_logins = 2});
}

TEST_CASE("the log line has PgBouncer's words in its order") {
    const Statistics averages{.server_assignments = 99, .transactions = 1, .queries = 2, .received = 7, .sent = 8,
                              .transaction_time = 9, .query_time = 10, .wait_time = 11, .client_parses = 3,
                              .server_parses = 4, .binds = 5, .client_logins = 6};
    CHECK(stats_log_line(averages) ==
          "stats: 1 xacts/s, 2 queries/s, 3 client parses/s, 4 server parses/s, 5 binds/s, 6 client logins/s, "
          "in 7 B/s, out 8 B/s, xact 9 us, query 10 us, wait 11 us");
}

}  // namespace pgweir::test
