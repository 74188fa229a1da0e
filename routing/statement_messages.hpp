// Messages about prepared statements that differ from the client's own, or are ours, and the names that stand for none.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/body_writer.hpp"
#include "protocol/message_type.hpp"

namespace pgweir {

inline constexpr Bytes absent_name = "pgweir_absent";    // no statement is ever called that
inline constexpr Bytes taken_name = "pgweir_taken";      // only what is sent to be refused or dropped is

// `identity`: the text, its NUL and the parameter types, as in the message.
inline void append_parse(std::string& out, Bytes name, Bytes identity) {
    out.push_back(static_cast<char>(frontend::Type::parse));
    const auto at = out.size();
    out.append(4, '\0');
    out.append(name).push_back('\0');
    out.append(identity);
    patch_length(out, at);
}

// The front of a Bind, up to its statement's name; `length` is that of the whole message.
inline void append_bind_front(std::string& out, std::uint32_t length, Bytes portal, Bytes statement) {
    BodyWriter writer(out);
    writer.byte(static_cast<char>(frontend::Type::bind));
    writer.int32(static_cast<std::int32_t>(length));
    writer.string(portal);
    writer.string(statement);
}

}  // namespace pgweir
