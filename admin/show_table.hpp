// The table of all SHOW commands: columns with their types, what of the Inventory each needs, and its rows.
//
// Promises: columns, their order and their types are PgBouncer's; our own columns stand behind those.
// Not here: wire format (cell.hpp, result_writer.hpp), permissions (console.hpp).
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "admin/cell.hpp"
#include "admin/inventory.hpp"
#include "admin/show_kind.hpp"

namespace pgweir {

struct ShowColumn {
    std::string_view name;
    ColumnType type;
};

struct ShowTableRow {
    ShowKind kind;
    std::string_view word;
    Needs needs;
    std::span<const ShowColumn> columns;                   // none: answers with a notice
    std::vector<Row> (*rows)(const Inventory& inventory);
};

const ShowTableRow& show_table_row(ShowKind kind);

// The DETAIL of the notice that SHOW HELP sends.
std::string_view help_text();

}  // namespace pgweir
