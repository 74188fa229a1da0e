#include "tests/support/message_parsers.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>

#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/bind_complete.hpp"
#include "protocol/backend/close_complete.hpp"
#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/copy_both_response.hpp"
#include "protocol/backend/copy_data.hpp"
#include "protocol/backend/copy_done.hpp"
#include "protocol/backend/copy_in_response.hpp"
#include "protocol/backend/copy_out_response.hpp"
#include "protocol/backend/data_row.hpp"
#include "protocol/backend/empty_query_response.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/function_call_response.hpp"
#include "protocol/backend/negotiate_protocol_version.hpp"
#include "protocol/backend/no_data.hpp"
#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/notification_response.hpp"
#include "protocol/backend/parameter_description.hpp"
#include "protocol/backend/parameter_status.hpp"
#include "protocol/backend/parse_complete.hpp"
#include "protocol/backend/portal_suspended.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/backend/row_description.hpp"
#include "protocol/frontend/bind.hpp"
#include "protocol/frontend/cancel_request.hpp"
#include "protocol/frontend/close.hpp"
#include "protocol/frontend/copy_data.hpp"
#include "protocol/frontend/copy_done.hpp"
#include "protocol/frontend/copy_fail.hpp"
#include "protocol/frontend/describe.hpp"
#include "protocol/frontend/execute.hpp"
#include "protocol/frontend/flush.hpp"
#include "protocol/frontend/function_call.hpp"
#include "protocol/frontend/gss_enc_request.hpp"
#include "protocol/frontend/parse.hpp"
#include "protocol/frontend/password_message.hpp"
#include "protocol/frontend/query.hpp"
#include "protocol/frontend/sasl_initial_response.hpp"
#include "protocol/frontend/sasl_response.hpp"
#include "protocol/frontend/ssl_request.hpp"
#include "protocol/frontend/startup_message.hpp"
#include "protocol/frontend/sync.hpp"
#include "protocol/frontend/terminate.hpp"

namespace pgweir::test {

namespace {

// Walks a list and builds it anew: the same bytes must come out.
template <class Element>
bool is_faithful(const ListView<Element>& list) {
    ListBuilder<Element> copy;
    for (const auto& element : list) copy.add(element);
    return copy.view() == list;
}

template <class Message>
bool lists_are_faithful(const Message& message) {
    bool faithful = true;
    const auto walk = [&](const auto& list) { faithful = faithful && is_faithful(list); };
    if constexpr (requires { message.parameters; }) walk(message.parameters);
    if constexpr (requires { message.parameter_types; }) walk(message.parameter_types);
    if constexpr (requires { message.parameter_formats; }) walk(message.parameter_formats);
    if constexpr (requires { message.result_formats; }) walk(message.result_formats);
    if constexpr (requires { message.argument_formats; }) walk(message.argument_formats);
    if constexpr (requires { message.column_formats; }) walk(message.column_formats);
    if constexpr (requires { message.arguments; }) walk(message.arguments);
    if constexpr (requires { message.values; }) walk(message.values);
    if constexpr (requires { message.columns; }) walk(message.columns);
    if constexpr (requires { message.types; }) walk(message.types);
    if constexpr (requires { message.fields; }) walk(message.fields);
    if constexpr (requires { message.unknown_options; }) walk(message.unknown_options);
    return faithful;
}

bool lists_are_faithful(const backend::Authentication& message) {
    const auto* sasl = std::get_if<backend::AuthenticationSasl>(&message.request);
    return sasl == nullptr || is_faithful(sasl->mechanisms);
}

template <class Message>
RoundTrip round_trip(Bytes body) {
    const auto message = Message::parse(BodyReader(body));
    if (!message) return {.error = message.error()};

    RoundTrip result;
    BodyWriter writer(result.body);
    message->serialize(writer);
    const auto again = Message::parse(BodyReader(result.body));
    result.faithful = again && *again == *message && lists_are_faithful(*message);
    return result;
}

template <class Message>
constexpr char type_of() {
    if constexpr (requires { Message::type; }) return static_cast<char>(Message::type);
    return '\0';
}

template <class Message>
constexpr MessageParser row(Sender sender, std::string_view name, bool is_open_ended = false) {
    return {sender, name, type_of<Message>(), is_open_ended, &round_trip<Message>};
}

constexpr bool open_ended = true;

constexpr auto parsers = std::to_array<MessageParser>({
    row<frontend::CancelRequest>(Sender::start_up, "cancel_request", open_ended),
    row<frontend::GssEncRequest>(Sender::start_up, "gss_enc_request"),
    row<frontend::SslRequest>(Sender::start_up, "ssl_request"),
    row<frontend::StartupMessage>(Sender::start_up, "startup_message"),
    row<frontend::Bind>(Sender::frontend, "bind"),
    row<frontend::Close>(Sender::frontend, "close"),
    row<frontend::CopyData>(Sender::frontend, "copy_data", open_ended),
    row<frontend::CopyDone>(Sender::frontend, "copy_done"),
    row<frontend::CopyFail>(Sender::frontend, "copy_fail"),
    row<frontend::Describe>(Sender::frontend, "describe"),
    row<frontend::Execute>(Sender::frontend, "execute"),
    row<frontend::Flush>(Sender::frontend, "flush"),
    row<frontend::FunctionCall>(Sender::frontend, "function_call"),
    row<frontend::Parse>(Sender::frontend, "parse"),
    row<frontend::PasswordMessage>(Sender::frontend, "password_message"),
    row<frontend::Query>(Sender::frontend, "query"),
    row<frontend::SaslInitialResponse>(Sender::frontend, "sasl_initial_response"),
    row<frontend::SaslResponse>(Sender::frontend, "sasl_response", open_ended),
    row<frontend::Sync>(Sender::frontend, "sync"),
    row<frontend::Terminate>(Sender::frontend, "terminate"),
    row<backend::Authentication>(Sender::backend, "authentication", open_ended),
    row<backend::BackendKeyData>(Sender::backend, "backend_key_data", open_ended),
    row<backend::BindComplete>(Sender::backend, "bind_complete"),
    row<backend::CloseComplete>(Sender::backend, "close_complete"),
    row<backend::CommandComplete>(Sender::backend, "command_complete"),
    row<backend::CopyBothResponse>(Sender::backend, "copy_both_response"),
    row<backend::CopyData>(Sender::backend, "copy_data", open_ended),
    row<backend::CopyDone>(Sender::backend, "copy_done"),
    row<backend::CopyInResponse>(Sender::backend, "copy_in_response"),
    row<backend::CopyOutResponse>(Sender::backend, "copy_out_response"),
    row<backend::DataRow>(Sender::backend, "data_row"),
    row<backend::EmptyQueryResponse>(Sender::backend, "empty_query_response"),
    row<backend::ErrorResponse>(Sender::backend, "error_response"),
    row<backend::FunctionCallResponse>(Sender::backend, "function_call_response"),
    row<backend::NegotiateProtocolVersion>(Sender::backend, "negotiate_protocol_version"),
    row<backend::NoData>(Sender::backend, "no_data"),
    row<backend::NoticeResponse>(Sender::backend, "notice_response"),
    row<backend::NotificationResponse>(Sender::backend, "notification_response"),
    row<backend::ParameterDescription>(Sender::backend, "parameter_description"),
    row<backend::ParameterStatus>(Sender::backend, "parameter_status"),
    row<backend::ParseComplete>(Sender::backend, "parse_complete"),
    row<backend::PortalSuspended>(Sender::backend, "portal_suspended"),
    row<backend::ReadyForQuery>(Sender::backend, "ready_for_query"),
    row<backend::RowDescription>(Sender::backend, "row_description"),
});

}  // namespace

std::span<const MessageParser> message_parsers() { return parsers; }

const MessageParser& message_parser(Sender sender, std::string_view name) {
    const auto is_it = [&](const MessageParser& parser) { return parser.sender == sender && parser.name == name; };
    const auto found = std::find_if(parsers.begin(), parsers.end(), is_it);
    if (found == parsers.end()) throw std::runtime_error("no message of that name: " + std::string(name));
    return *found;
}

}  // namespace pgweir::test
