#include "protocol/frontend/query.hpp"

namespace pgweir::frontend {

Result<Query> Query::parse(BodyReader body) {
    return whole(body, Query{body.string()});
}

}  // namespace pgweir::frontend
