// StartupMessage (frontend): who the client is, which database it wants, and its first settings.
// A version of 3.1 and above is accepted here; what is offered instead is backend::NegotiateProtocolVersion's business.
#pragma once

#include <optional>

#include "protocol/list_view.hpp"
#include "protocol/message.hpp"
#include "protocol/protocol_version.hpp"

namespace pgweir::frontend {

struct Parameter {
    Bytes name;    // never empty: an empty name ends the list
    Bytes value;

    bool operator==(const Parameter&) const = default;
};

struct ParameterElement {
    using Value = Parameter;

    static Value read(BodyReader& body) { return {body.string(), body.string()}; }
    static void write(BodyWriter& body, const Value& parameter) {
        body.string(parameter.name);
        body.string(parameter.value);
    }
};

using ParameterList = ListView<ParameterElement>;
using ParameterListBuilder = ListBuilder<ParameterElement>;

struct StartupMessage {
    ProtocolVersion version;
    ParameterList parameters;    // in the client's order, repeated names included

    // The value of a parameter; of a repeated one the last, as in PostgreSQL.
    std::optional<Bytes> parameter(Bytes name) const;

    static Result<StartupMessage> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const StartupMessage&) const = default;
};

}  // namespace pgweir::frontend
