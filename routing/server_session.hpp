// What the core knows about one logged-in server connection: where its byte stream stands, what it still owes, its
// transaction status and its reported parameters.
//
// Not here: who has it (ClientSession), whether it is lent, checked or closed (Book), its socket (proxy/).
#pragma once

#include <cstdint>
#include <string>

#include "protocol/backend/ready_for_query.hpp"
#include "protocol/frame_scanner.hpp"
#include "routing/reply_ledger.hpp"
#include "routing/server_statements.hpp"
#include "routing/session_settings.hpp"
#include "routing/time.hpp"

namespace pgweir {

enum class UnlinkedEvent : std::uint8_t {
    nothing,    // parameter and notice messages only, or part of an answer
    done,       // the check or reset that was under way succeeded
    failed,     // … was refused
    dirty,      // something came that nobody asked for: close
    fatal,      // the server said that it is closing
};

namespace server_frames {

using enum backend::Type;

inline constexpr FrameRules usual{
    .known = {bind_complete, close_complete, command_complete, copy_data, copy_done, copy_in_response,
              copy_out_response, copy_both_response, data_row, empty_query_response, error_response,
              function_call_response, no_data, notice_response, notification_response, parameter_description,
              parameter_status, parse_complete, portal_suspended, ready_for_query, row_description},
    .gathered = {ready_for_query, parameter_status, error_response, command_complete},
    .runs = {data_row, copy_data},
};

// While a Query is answered: whole results, one behind the other, leave as one run up to the ReadyForQuery.
inline constexpr FrameRules of_query{
    .known = usual.known, .gathered = usual.gathered, .runs = {row_description, data_row, command_complete, copy_data}};

}  // namespace server_frames

using backend::TransactionStatus;

struct ServerSession {
    explicit ServerSession(const TrackedParameters& tracked_names) : tracked(&tracked_names) {}

    const TrackedParameters* tracked;
    ParameterCatalog* catalog = nullptr;       // of the worker that has it
    FrameScanner scanner;
    ReplyLedger ledger;
    TransactionStatus transaction = TransactionStatus::idle;
    ReplyRoute route = ReplyRoute::forward;    // of the message being read
    bool output_pending = false;               // bytes are kept for it: set by the proxy
    bool fatal_seen = false;                   // it sent a FATAL ErrorResponse
    bool request_failed = false;               // an ErrorResponse came for the request of ours under way
    std::string own_error;                     // what it says: "ERROR: division by zero"
    bool parameters_reset = false;             // the request of ours under way is the reset query
    SharedParameters parameters;
    ServerStatements statements;
    StatementSource* statement_source = nullptr;    // of the process

    // No message is half read, but for one that nobody hears: its rest is swallowed too.
    bool is_between_messages() const { return scanner.at_boundary() || route == ReplyRoute::swallow; }

    // Nothing is owed either way, nothing is half read, and it is not about to close.
    bool is_at_rest() const {
        return ledger.is_settled() && transaction == TransactionStatus::idle && is_between_messages() && !output_pending &&
               !fatal_seen;
    }

    // A check or reset query of ours has been sent.
    void begin_own_query();

    // Bytes while no client has it. All of `input` is used but for what the return says must be kept.
    UnlinkedEvent on_unlinked_bytes(Bytes& input);

    // A ParameterStatus: the new value is remembered. True when it is a tracked parameter.
    bool note_parameter(const Frame& frame);
    void note_error(const Frame& frame);
    void note_own_error(const Frame& frame);
    // A CommandComplete. True: by its tag the server has dropped all prepared statements.
    bool note_completion(const Frame& frame);
};

}  // namespace pgweir
