// Messages with the fields that a conversation's course does not hang on filled in, as wire bytes.
#pragma once

#include <string>

#include "protocol/backend/bind_complete.hpp"
#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/copy_both_response.hpp"
#include "protocol/backend/copy_data.hpp"
#include "protocol/backend/copy_in_response.hpp"
#include "protocol/backend/data_row.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/notification_response.hpp"
#include "protocol/backend/parameter_status.hpp"
#include "protocol/backend/parse_complete.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/frontend/bind.hpp"
#include "protocol/frontend/copy_data.hpp"
#include "protocol/frontend/copy_done.hpp"
#include "protocol/frontend/copy_fail.hpp"
#include "protocol/frontend/execute.hpp"
#include "protocol/frontend/flush.hpp"
#include "protocol/frontend/function_call.hpp"
#include "protocol/frontend/parse.hpp"
#include "protocol/frontend/query.hpp"
#include "protocol/frontend/sync.hpp"
#include "protocol/frontend/terminate.hpp"

namespace pgweir::test {

// What a client sends.
inline std::string query(Bytes sql) { return to_message(frontend::Query{sql}); }
inline std::string parse(Bytes statement = {}) { return to_message(frontend::Parse{statement, "select $1", {}}); }
inline std::string bind() { return to_message(frontend::Bind{}); }
inline std::string execute() { return to_message(frontend::Execute{{}, 0}); }
inline std::string function_call() { return to_message(frontend::FunctionCall{4711, {}, {}, 0}); }
inline std::string copy_row(Bytes data) { return to_message(frontend::CopyData{data}); }
inline std::string copy_fail(Bytes reason = "client left") { return to_message(frontend::CopyFail{reason}); }
inline const std::string sync = to_message(frontend::Sync{});
inline const std::string flush_request = to_message(frontend::Flush{});
inline const std::string copy_done = to_message(frontend::CopyDone{});
inline const std::string terminate_request = to_message(frontend::Terminate{});
inline const std::string rollback = query("ROLLBACK");
inline const std::string extended_series = parse() + bind() + execute();

// What a server sends.
inline std::string complete(Bytes tag) { return to_message(backend::CommandComplete{tag}); }
inline const std::string ready = to_message(backend::ReadyForQuery{backend::TransactionStatus::idle});
inline const std::string ready_in_transaction =
    to_message(backend::ReadyForQuery{backend::TransactionStatus::in_transaction});
inline const std::string ready_failed = to_message(backend::ReadyForQuery{backend::TransactionStatus::failed});
inline const std::string parse_complete = to_message(backend::ParseComplete{});
inline const std::string bind_complete = to_message(backend::BindComplete{});
inline const std::string copy_both_response = to_message(backend::CopyBothResponse{});
inline const std::string copy_in_response = to_message(backend::CopyInResponse{});
inline const std::string extended_replies = parse_complete + bind_complete + complete("SELECT 0");

inline std::string parameter(Bytes name, Bytes value) { return to_message(backend::ParameterStatus{name, value}); }
inline std::string notification(Bytes channel) { return to_message(backend::NotificationResponse{1, channel, {}}); }

inline std::string data_row(Bytes value) {
    ValueListBuilder values;
    values.add(value);
    return to_message(backend::DataRow{values.view()});
}

template <class Message>
std::string with_fields(Bytes severity, Bytes sqlstate) {
    backend::ErrorFieldsBuilder fields;
    fields.add({backend::error_field::severity, severity}).add({backend::error_field::severity_nonlocalized, severity});
    fields.add({backend::error_field::sqlstate, sqlstate}).add({backend::error_field::message, "as it happened"});
    return to_message(Message{fields.view()});
}

inline std::string error(Bytes sqlstate = "22012") { return with_fields<backend::ErrorResponse>("ERROR", sqlstate); }
inline std::string fatal(Bytes sqlstate = "57P01") { return with_fields<backend::ErrorResponse>("FATAL", sqlstate); }
inline std::string notice() { return with_fields<backend::NoticeResponse>("NOTICE", "00000"); }

}  // namespace pgweir::test
