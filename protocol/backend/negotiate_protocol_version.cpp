#include "protocol/backend/negotiate_protocol_version.hpp"

namespace pgweir::backend {

namespace {

// The one list whose count has 32 bits.
NameList read_options(BodyReader& body) {
    const auto count = body.int32();
    if (count < 0) {
        body.fail(ProtocolError::bad_count);
        return {};
    }
    return read_elements<NameElement>(body, static_cast<std::size_t>(count));
}

}  // namespace

Result<NegotiateProtocolVersion> NegotiateProtocolVersion::parse(BodyReader body) {
    return whole(body, NegotiateProtocolVersion{{body.int32()}, read_options(body)});
}

void NegotiateProtocolVersion::serialize(BodyWriter& body) const {
    body.int32(newest.code);
    body.int32(static_cast<std::int32_t>(unknown_options.size()));
    body.bytes(unknown_options.elements());
}

}  // namespace pgweir::backend
