#include "protocol/frontend/start_up_packet.hpp"

#include "protocol/protocol_version.hpp"

namespace pgweir::frontend {

Result<StartUpKind> classify_start_up_packet(BodyReader body) {
    const ProtocolVersion version{body.int32()};
    if (body.failed()) return ProtocolError::short_body;
    switch (static_cast<StartUpCode>(version.code)) {
        case StartUpCode::cancel_request: return StartUpKind::cancel_request;
        case StartUpCode::ssl_request: return StartUpKind::ssl_request;
        case StartUpCode::gss_enc_request: return StartUpKind::gss_enc_request;
    }
    if (version.major_version() == 3) return StartUpKind::startup_message;
    if (version == protocol_2_0) return StartUpKind::old_protocol;
    return ProtocolError::bad_start_up_code;
}

}  // namespace pgweir::frontend
