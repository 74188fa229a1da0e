// SASLInitialResponse (frontend): the client's choice of mechanism, and its first message in it.
#pragma once

#include <optional>

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::frontend {

struct SaslInitialResponse {
    static constexpr auto type = Type::password;

    Bytes mechanism;
    std::optional<Bytes> response;    // none: the mechanism lets the server begin

    static Result<SaslInitialResponse> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const SaslInitialResponse&) const = default;
};

}  // namespace pgweir::frontend
