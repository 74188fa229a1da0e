// The rows of each SHOW command; show_table.hpp has their columns, which these follow in number and order.
#pragma once

#include <vector>

#include "admin/cell.hpp"
#include "admin/inventory.hpp"

namespace pgweir::rows {

// show_connections.cpp
std::vector<Row> clients(const Inventory& inventory);
std::vector<Row> servers(const Inventory& inventory);
std::vector<Row> sockets(const Inventory& inventory);
std::vector<Row> active_sockets(const Inventory& inventory);

// show_pools.cpp
std::vector<Row> pools(const Inventory& inventory);
std::vector<Row> peer_pools(const Inventory& inventory);
std::vector<Row> databases(const Inventory& inventory);
std::vector<Row> peers(const Inventory& inventory);
std::vector<Row> users(const Inventory& inventory);

// show_statistics.cpp
std::vector<Row> stats(const Inventory& inventory);
std::vector<Row> stats_totals(const Inventory& inventory);
std::vector<Row> stats_averages(const Inventory& inventory);
std::vector<Row> totals(const Inventory& inventory);

// show_process.cpp
std::vector<Row> lists(const Inventory& inventory);
std::vector<Row> config(const Inventory& inventory);
std::vector<Row> mem(const Inventory& inventory);
std::vector<Row> state(const Inventory& inventory);
std::vector<Row> fds(const Inventory& inventory);
std::vector<Row> version(const Inventory& inventory);
std::vector<Row> dns_hosts(const Inventory& inventory);
std::vector<Row> dns_zones(const Inventory& inventory);
std::vector<Row> client_encoding(const Inventory& inventory);
std::vector<Row> default_transaction_isolation(const Inventory& inventory);
std::vector<Row> standard_conforming_strings(const Inventory& inventory);
std::vector<Row> datestyle(const Inventory& inventory);
std::vector<Row> timezone(const Inventory& inventory);

}  // namespace pgweir::rows
