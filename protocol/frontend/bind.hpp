// Bind (frontend): gives a prepared statement its parameters and makes a portal of it.
// Whether the formats fit the values is left to the server, which answers a misfit with an ordinary error.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::frontend {

struct Bind {
    static constexpr auto type = Type::bind;

    Bytes portal;
    Bytes statement;
    FormatList parameter_formats;    // none: all text; one: for all; else one each
    ValueList values;
    FormatList result_formats;       // the same rule, for the columns of the result

    static Result<Bind> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const Bind&) const = default;
};

}  // namespace pgweir::frontend
