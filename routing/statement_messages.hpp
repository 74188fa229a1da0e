// Messages about prepared statements that differ from the client's own, or are ours, and the names that stand for none.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "protocol/body_writer.hpp"
#include "protocol/frame_scanner.hpp"
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

// The front of a Bind, up to its statement's name; `length` is that of the whole message. Written in place: most messages of a
// client with prepared statements pass here.
inline void append_bind_front(std::string& out, std::uint32_t length, Bytes portal, Bytes statement) {
    const auto begin = out.size();
    out.append(frame_header_bytes + portal.size() + 1 + statement.size() + 1, '\0');
    char* to = out.data() + begin;
    to[0] = static_cast<char>(frontend::Type::bind);
    for (int i = 0; i < 4; ++i) to[1 + i] = static_cast<char>(length >> (24 - 8 * i) & 0xff);
    to = std::copy(portal.begin(), portal.end(), to + frame_header_bytes);
    std::copy(statement.begin(), statement.end(), to + 1);
}

}  // namespace pgweir
