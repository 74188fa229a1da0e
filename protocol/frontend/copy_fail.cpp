#include "protocol/frontend/copy_fail.hpp"

namespace pgweir::frontend {

Result<CopyFail> CopyFail::parse(BodyReader body) {
    return whole(body, CopyFail{body.string()});
}

}  // namespace pgweir::frontend
