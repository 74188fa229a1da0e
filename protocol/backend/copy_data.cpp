#include "protocol/backend/copy_data.hpp"

namespace pgweir::backend {

Result<CopyData> CopyData::parse(BodyReader body) {
    return whole(body, CopyData{body.rest()});
}

}  // namespace pgweir::backend
