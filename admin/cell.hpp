// One value of a SHOW result, and how it goes over the wire: as text, or in PostgreSQL's binary format for drivers that
// ask for it in the extended protocol.
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "protocol/values.hpp"

namespace pgweir {

enum class ColumnType : Oid { bytea = 17, int8 = 20, int4 = 23, text = 25, numeric = 1700 };

constexpr std::int16_t size_of(ColumnType type) { return type == ColumnType::int4 ? 4 : type == ColumnType::int8 ? 8 : -1; }

// Made implicitly, so that a row reads as a list of values.
class Cell {
public:
    Cell(std::nullopt_t) {}
    Cell(std::string text) : value_(std::move(text)) {}
    Cell(std::string_view text) : value_(std::string(text)) {}
    Cell(const char* text) : value_(std::string(text)) {}
    template <std::integral Number>
    Cell(Number number) : value_(static_cast<std::int64_t>(number)) {}
    template <class Value>
    Cell(const std::optional<Value>& value) {
        if (value) *this = Cell(*value);
    }

    bool is_null() const { return value_.index() == 0; }

    // The bytes of a value that is not NULL, as a column of `type` in `format` has them.
    std::string encode(ColumnType type, std::int16_t format) const;

    bool operator==(const Cell&) const = default;

private:
    std::variant<std::monostate, std::string, std::int64_t> value_;
};

using Row = std::vector<Cell>;

}  // namespace pgweir
