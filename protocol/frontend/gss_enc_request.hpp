// GSSENCRequest (frontend): the client would like GSSAPI encryption. It is answered with one byte, here always 'N'.
#pragma once

#include "protocol/frontend/start_up_packet.hpp"
#include "protocol/message.hpp"

namespace pgweir::frontend {

struct GssEncRequest {
    static Result<GssEncRequest> parse(BodyReader body) {
        expect_code(body, StartUpCode::gss_enc_request);
        return whole(body, GssEncRequest{});
    }
    void serialize(BodyWriter& body) const { write_code(body, StartUpCode::gss_enc_request); }

    bool operator==(const GssEncRequest&) const = default;
};

}  // namespace pgweir::frontend
