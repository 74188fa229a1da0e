#include "protocol/backend/backend_key_data.hpp"

namespace pgweir::backend {

Result<BackendKeyData> BackendKeyData::parse(BodyReader body) {
    return whole(body, BackendKeyData{body.int32(), read_cancel_secret(body)});
}

void BackendKeyData::serialize(BodyWriter& body) const {
    body.int32(process_id);
    body.bytes(secret);
}

}  // namespace pgweir::backend
