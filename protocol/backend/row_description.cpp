#include "protocol/backend/row_description.hpp"

namespace pgweir::backend {

Result<RowDescription> RowDescription::parse(BodyReader body) {
    return whole(body, RowDescription{read_counted<ColumnElement>(body)});
}

}  // namespace pgweir::backend
