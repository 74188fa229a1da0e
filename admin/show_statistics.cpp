// SHOW STATS, STATS_TOTALS, STATS_AVERAGES, TOTALS.

#include <fmt/format.h>

#include <array>
#include <string_view>

#include "admin/show_rows.hpp"

namespace pgweir::rows {

namespace {

// In the order of statistics_fields.
constexpr auto names_in_totals = std::to_array<std::string_view>({
    "server_assignment_count", "xact_count", "query_count", "client_bytes", "server_bytes", "xact_time", "query_time",
    "wait_time", "ps_client_parse_count", "ps_server_parse_count", "ps_bind_count", "client_login_count",
});
static_assert(names_in_totals.size() == statistics_fields.size());

void add(Row& row, const Statistics& statistics) {
    for (const auto field : statistics_fields) row.emplace_back(statistics.*field);
}

template <class Fill>
std::vector<Row> row_for_each(const Inventory& inventory, Fill fill) {
    std::vector<Row> rows;
    for (const auto& database : inventory.statistics.databases) {
        Row row{database.database};
        fill(row, database);
        rows.push_back(std::move(row));
    }
    return rows;
}

void add_named(std::vector<Row>& rows, std::string_view prefix, const Statistics& statistics) {
    for (std::size_t i = 0; i < statistics_fields.size(); ++i)
        rows.push_back({fmt::format("{}_{}", prefix, names_in_totals[i]), statistics.*statistics_fields[i]});
}

}  // namespace

std::vector<Row> stats(const Inventory& inventory) {
    return row_for_each(inventory, [](Row& row, const StatsRow& database) {
        add(row, database.totals);
        add(row, database.averages);
    });
}

std::vector<Row> stats_totals(const Inventory& inventory) {
    return row_for_each(inventory, [](Row& row, const StatsRow& database) { add(row, database.totals); });
}

std::vector<Row> stats_averages(const Inventory& inventory) {
    return row_for_each(inventory, [](Row& row, const StatsRow& database) { add(row, database.averages); });
}

std::vector<Row> totals(const Inventory& inventory) {
    std::vector<Row> rows;
    add_named(rows, "total", inventory.statistics.overall.totals);
    add_named(rows, "avg", inventory.statistics.overall.averages);
    return rows;
}

}  // namespace pgweir::rows
