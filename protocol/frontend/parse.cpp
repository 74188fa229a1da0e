#include "protocol/frontend/parse.hpp"

namespace pgweir::frontend {

Result<Parse> Parse::parse(BodyReader body) {
    return whole(body, Parse{body.string(), body.string(), read_counted<OidElement>(body)});
}

void Parse::serialize(BodyWriter& body) const {
    body.string(statement);
    body.string(sql);
    write_counted(body, parameter_types);
}

}  // namespace pgweir::frontend
