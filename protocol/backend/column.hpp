// One column of a RowDescription. The defaults are a column that belongs to no table, as the console makes them.
#pragma once

#include "protocol/values.hpp"

namespace pgweir::backend {

struct Column {
    Bytes name;
    Oid table = 0;
    std::int16_t attribute = 0;     // number of the column in its table
    Oid type = 0;
    std::int16_t type_size = -1;    // negative: of varying size
    std::int32_t type_modifier = -1;
    std::int16_t format = text_format;

    bool operator==(const Column&) const = default;
};

struct ColumnElement {
    using Value = Column;

    static Value read(BodyReader& body);
    static void write(BodyWriter& body, const Value& column);
};

using ColumnList = ListView<ColumnElement>;
using ColumnListBuilder = ListBuilder<ColumnElement>;

}  // namespace pgweir::backend
