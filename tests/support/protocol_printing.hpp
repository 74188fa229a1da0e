// How the test library shows what parsing returned when a check fails: the error's text, or that there was none.
// Needed wherever a `Result` stands alone in a check, since its own stream operator wants one of its value.
#pragma once

#include <string>

#include "protocol/result.hpp"
#include "tests/support/catch.hpp"

namespace Catch {

template <>
struct StringMaker<pgweir::ProtocolError> {
    static std::string convert(pgweir::ProtocolError error) { return std::string(pgweir::to_string(error)); }
};

template <class T>
struct StringMaker<boost::system::result<T, pgweir::ProtocolError>> {
    static std::string convert(const boost::system::result<T, pgweir::ProtocolError>& result) {
        return result ? "a value" : StringMaker<pgweir::ProtocolError>::convert(result.error());
    }
};

}  // namespace Catch
