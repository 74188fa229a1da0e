// BackendKeyData (backend): the key with which a CancelRequest names this connection.
#pragma once

#include "protocol/cancel_secret.hpp"
#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct BackendKeyData {
    static constexpr auto type = Type::backend_key_data;

    std::int32_t process_id;
    Bytes secret;    // 4 bytes for a client of protocol 3.0; 4 to 256 since 3.2

    static Result<BackendKeyData> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const BackendKeyData&) const = default;
};

}  // namespace pgweir::backend
