// Messages of a console's answers, appended to a string: columns, rows, completion, errors, notices.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "admin/cell.hpp"
#include "admin/show_table.hpp"

namespace pgweir {

// The format that a Bind asked for: none for all text, one for all columns, or one each.
std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column);

void append_columns(std::string& out, std::span<const ShowColumn> columns, std::span<const std::int16_t> formats = {});
void append_row(std::string& out, const Row& row, std::span<const ShowColumn> columns,
                std::span<const std::int16_t> formats = {});
void append_complete(std::string& out, std::string_view tag);
void append_ready(std::string& out);

// Severity ERROR.
void append_error(std::string& out, std::string_view message, std::string_view sqlstate);
void append_notice(std::string& out, std::string_view message, std::string_view detail = {});

}  // namespace pgweir
