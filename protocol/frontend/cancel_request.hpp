// CancelRequest (frontend): ends the request that the connection with this key is running. It gets no answer, only a close.
#pragma once

#include "protocol/cancel_secret.hpp"
#include "protocol/frontend/start_up_packet.hpp"
#include "protocol/message.hpp"

namespace pgweir::frontend {

struct CancelRequest {
    std::int32_t process_id;
    Bytes secret;    // 4 to 256 bytes

    static Result<CancelRequest> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const CancelRequest&) const = default;
};

}  // namespace pgweir::frontend
