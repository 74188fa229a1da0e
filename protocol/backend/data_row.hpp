// DataRow (backend): one row, a value for each column of the RowDescription. Read for our own queries
// and written for the console only: on the way to a client the frame scanner passes rows on as one run.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::backend {

struct DataRow {
    static constexpr auto type = Type::data_row;

    ValueList values;

    static Result<DataRow> parse(BodyReader body);
    void serialize(BodyWriter& body) const { write_counted(body, values); }

    bool operator==(const DataRow&) const = default;
};

}  // namespace pgweir::backend
