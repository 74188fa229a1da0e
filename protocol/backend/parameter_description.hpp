// ParameterDescription (backend): the parameter types of a described prepared statement.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::backend {

struct ParameterDescription {
    static constexpr auto type = Type::parameter_description;

    OidList types;

    static Result<ParameterDescription> parse(BodyReader body);
    void serialize(BodyWriter& body) const { write_counted(body, types); }

    bool operator==(const ParameterDescription&) const = default;
};

}  // namespace pgweir::backend
