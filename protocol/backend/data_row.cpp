#include "protocol/backend/data_row.hpp"

namespace pgweir::backend {

Result<DataRow> DataRow::parse(BodyReader body) {
    return whole(body, DataRow{read_counted<ValueElement>(body)});
}

}  // namespace pgweir::backend
