#include "protocol/frontend/startup_message.hpp"

namespace pgweir::frontend {

std::optional<Bytes> StartupMessage::parameter(Bytes name) const {
    std::optional<Bytes> value;
    for (const auto& parameter : parameters)
        if (parameter.name == name) value = parameter.value;
    return value;
}

Result<StartupMessage> StartupMessage::parse(BodyReader body) {
    const ProtocolVersion version{body.int32()};
    if (version.major_version() != 3) body.fail(ProtocolError::bad_start_up_code);
    return whole(body, StartupMessage{version, read_terminated<ParameterElement>(body)});
}

void StartupMessage::serialize(BodyWriter& body) const {
    body.int32(version.code);
    write_terminated(body, parameters);
}

}  // namespace pgweir::frontend
