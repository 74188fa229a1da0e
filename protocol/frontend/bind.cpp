#include "protocol/frontend/bind.hpp"

namespace pgweir::frontend {

Result<Bind> Bind::parse(BodyReader body) {
    return whole(body, Bind{
        body.string(),
        body.string(),
        read_counted<FormatElement>(body),
        read_counted<ValueElement>(body),
        read_counted<FormatElement>(body),
    });
}

void Bind::serialize(BodyWriter& body) const {
    body.string(portal);
    body.string(statement);
    write_counted(body, parameter_formats);
    write_counted(body, values);
    write_counted(body, result_formats);
}

}  // namespace pgweir::frontend
