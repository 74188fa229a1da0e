// What Close and Describe are about: a prepared statement or a portal, each with names of its own.
#pragma once

#include "protocol/body_reader.hpp"

namespace pgweir::frontend {

enum class Target : char { statement = 'S', portal = 'P' };

inline Target read_target(BodyReader& body) {
    const auto target = static_cast<Target>(body.byte());
    if (target != Target::statement && target != Target::portal) body.fail(ProtocolError::unknown_target);
    return target;
}

}  // namespace pgweir::frontend
