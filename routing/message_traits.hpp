// What each type of message is to a session: tables, since every message is looked up in them.
#pragma once

#include <array>
#include <cstdint>

#include "protocol/message_type.hpp"
#include "routing/reply_ledger.hpp"

namespace pgweir {

struct ClientMessage {
    RequestKind request = RequestKind::query;    // a Describe's is told by its body
    bool earns_reply = false;                    // not so: Flush, Terminate, COPY data
    bool names_statement = false;                // what it means may hang on replies to come
    bool runs = false;                           // … and on what was bound before
};

inline constexpr auto client_messages = [] {
    using enum frontend::Type;
    std::array<ClientMessage, 256> table{};
    const auto at = [&](frontend::Type type) -> ClientMessage& { return table[static_cast<unsigned char>(type)]; };
    at(query) = {RequestKind::query, true, true};
    at(sync) = {RequestKind::sync, true};
    at(parse) = {RequestKind::parse, true, true};
    at(bind) = {RequestKind::bind, true, true};
    at(describe) = {RequestKind::describe_portal, true, true};
    at(execute) = {RequestKind::execute, true, false, true};
    at(close) = {RequestKind::close, true, true};
    at(function_call) = {RequestKind::function_call, true};
    at(copy_done) = at(copy_fail) = {RequestKind::copy_end, true};
    return table;
}();

enum class ServerMessage : std::uint8_t {
    reply,
    completion,    // CommandComplete: its tag may say more
    error,
    ready,
    news,          // comes at any time and belongs to no request
};

inline constexpr auto server_messages = [] {
    using enum backend::Type;
    std::array<ServerMessage, 256> table{};
    const auto at = [&](backend::Type type) -> ServerMessage& { return table[static_cast<unsigned char>(type)]; };
    at(command_complete) = ServerMessage::completion;
    at(error_response) = ServerMessage::error;
    at(ready_for_query) = ServerMessage::ready;
    at(notice_response) = at(notification_response) = at(parameter_status) = ServerMessage::news;
    return table;
}();

}  // namespace pgweir
