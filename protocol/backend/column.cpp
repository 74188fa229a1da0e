#include "protocol/backend/column.hpp"

namespace pgweir::backend {

Column ColumnElement::read(BodyReader& body) {
    return {
        .name = body.string(),
        .table = static_cast<Oid>(body.int32()),
        .attribute = body.int16(),
        .type = static_cast<Oid>(body.int32()),
        .type_size = body.int16(),
        .type_modifier = body.int32(),
        .format = body.int16(),
    };
}

void ColumnElement::write(BodyWriter& body, const Column& column) {
    body.string(column.name);
    body.int32(static_cast<std::int32_t>(column.table));
    body.int16(column.attribute);
    body.int32(static_cast<std::int32_t>(column.type));
    body.int16(column.type_size);
    body.int32(column.type_modifier);
    body.int16(column.format);
}

}  // namespace pgweir::backend
