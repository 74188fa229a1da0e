// SSLRequest (frontend): the client would like TLS. It is answered with one byte, 'S' or 'N', not with a message.
#pragma once

#include "protocol/frontend/start_up_packet.hpp"
#include "protocol/message.hpp"

namespace pgweir::frontend {

struct SslRequest {
    static Result<SslRequest> parse(BodyReader body) {
        expect_code(body, StartUpCode::ssl_request);
        return whole(body, SslRequest{});
    }
    void serialize(BodyWriter& body) const { write_code(body, StartUpCode::ssl_request); }

    bool operator==(const SslRequest&) const = default;
};

}  // namespace pgweir::frontend
