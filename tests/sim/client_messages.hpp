// What clients send, as bytes.
#pragma once

#include <string>

#include "tests/sim/frames.hpp"

namespace pgweir::sim {

inline std::string query(const std::string& sql) { return frame('Q', zero_ended(sql)); }

inline std::string parse(const std::string& name, const std::string& sql) {
    return frame('P', zero_ended(name) + zero_ended(sql) + std::string(2, '\0'));
}

inline std::string bind_to(const std::string& portal, const std::string& name) {
    return frame('B', zero_ended(portal) + zero_ended(name) + std::string(6, '\0'));
}

// With one parameter, a text.
inline std::string bind_to(const std::string& portal, const std::string& name, const std::string& parameter) {
    std::string body = zero_ended(portal) + zero_ended(name);
    append_int16(body, 0);
    append_int16(body, 1);
    append_int32(body, static_cast<std::int64_t>(parameter.size()));
    body += parameter;
    append_int16(body, 0);
    return frame('B', body);
}

inline std::string execute(const std::string& portal, int rows) {
    std::string body = zero_ended(portal);
    append_int32(body, rows);
    return frame('E', body);
}

// `what`: 'S' for a statement, 'P' for a portal.
inline std::string describe(char what, const std::string& name) { return frame('D', what + zero_ended(name)); }
inline std::string close(char what, const std::string& name) { return frame('C', what + zero_ended(name)); }

}  // namespace pgweir::sim
