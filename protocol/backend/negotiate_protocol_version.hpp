// NegotiateProtocolVersion (backend): the server speaks an older minor version than asked for, or does not know some of the
// `_pq_.` options; the client goes on with less, or leaves.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/protocol_version.hpp"
#include "protocol/values.hpp"

namespace pgweir::backend {

struct NegotiateProtocolVersion {
    static constexpr auto type = Type::negotiate_protocol_version;

    ProtocolVersion newest;    // with its major part, which PostgreSQL sends and libpq wants, whatever the manual says
    NameList unknown_options;

    static Result<NegotiateProtocolVersion> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const NegotiateProtocolVersion&) const = default;
};

}  // namespace pgweir::backend
