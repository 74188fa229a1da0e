#include "protocol/frontend/copy_data.hpp"

namespace pgweir::frontend {

Result<CopyData> CopyData::parse(BodyReader body) {
    return whole(body, CopyData{body.rest()});
}

}  // namespace pgweir::frontend
