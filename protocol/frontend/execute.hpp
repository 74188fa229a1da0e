// Execute (frontend): runs a portal, for all its rows or a part of them.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct Execute {
    static constexpr auto type = Type::execute;

    Bytes portal;
    std::int32_t max_rows;    // 0: all; else the portal may be suspended after so many

    static Result<Execute> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const Execute&) const = default;
};

}  // namespace pgweir::frontend
