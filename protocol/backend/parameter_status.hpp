// ParameterStatus (backend): the value that a setting has now. At login for every reported setting, later whenever one
// changes, asked for or not.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::backend {

struct ParameterStatus {
    static constexpr auto type = Type::parameter_status;

    Bytes name;
    Bytes value;

    static Result<ParameterStatus> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const ParameterStatus&) const = default;
};

}  // namespace pgweir::backend
