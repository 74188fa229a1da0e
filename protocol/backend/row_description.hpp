// RowDescription (backend): the columns of the rows to come.
#pragma once

#include "protocol/backend/column.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct RowDescription {
    static constexpr auto type = Type::row_description;

    ColumnList columns;

    static Result<RowDescription> parse(BodyReader body);
    void serialize(BodyWriter& body) const { write_counted(body, columns); }

    bool operator==(const RowDescription&) const = default;
};

}  // namespace pgweir::backend
