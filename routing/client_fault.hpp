// Every error that pgweir itself sends to a client: one table of SQLSTATE, text, detail, hint and log level.
//
// The core hands round a `Fault` and numbers only; its text is made here, when it is sent. Texts are PgBouncer's, since
// people's alerts look for them; what helps beyond that goes into DETAIL and HINT.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/result.hpp"

namespace pgweir {

enum class Fault : std::uint8_t {
    none,
    // login
    old_protocol, bad_start_up_packet, start_up_too_long, bad_packet_header, unknown_packet, repeated_start_up,
    no_user, user_name_too_long, unsupported_start_up_parameter, unsupported_option, unsupported_option_form,
    ssl_required, unencrypted_data_after_ssl_request, unencrypted_data_after_gss_request,
    too_many_clients, too_many_database_clients, too_many_user_clients,
    no_such_database, database_disabled, shutting_down, console_not_allowed, bouncer_config_error,
    trust_failed, password_failed, sasl_failed, certificate_failed, empty_password, client_login_timeout, client_login_timeout_server_down,
    server_login_failed,              // text and SQLSTATE come from the server
    server_login_failing,             // argument: the cached text
    server_login_wrong_password_type,
    // waiting and timeouts
    query_wait_timeout, query_timeout_waiting, client_idle_timeout,
    query_timeout, idle_transaction_timeout, transaction_timeout,
    // the server was lost, or the session had to end with it
    server_lost, server_protocol_error, invalid_server_parameter, statement_mode_transaction,
    database_removed, server_shutting_down, admin_disconnect,
    // the client broke a rule
    protocol_violation, packet_too_large, message_too_long, simple_query_refused,
    statement_name_taken, unnamed_statement_missing, too_many_statements,    // errors in place: the session goes on
    internal_pairing,                 // an invariant of ours failed: both sides are closed
    // what only some logins meet
    no_such_user,                     // auth_query found nobody
    auth_database_disabled,
    replication_login_failed,         // of its own server
    suspend_timeout,
    count_
};

enum class FaultLevel : std::uint8_t { log, warning, error };

struct FaultRow {
    Fault fault;
    const char* sqlstate;             // what we send
    const char* compat_sqlstate;      // with compat_error_codes=1
    const char* message;              // "{}" is replaced by the argument
    const char* detail;               // empty: none
    const char* hint;                 // empty: none
    FaultLevel level;
};

const FaultRow& fault_row(Fault fault);

// What a client hears that sent such bytes.
Fault client_fault_of(ProtocolError error);

// The message text, `argument` put in its place.
std::string fault_message(Fault fault, std::string_view argument = {});

// Appends the ErrorResponse (severity FATAL unless `severity` says otherwise).
void append_fault(std::string& out, Fault fault, std::string_view argument = {}, bool compat_codes = false,
                  std::string_view severity = "FATAL");

// Appends an ErrorResponse that passes on what a server has said about its login (server_login_failed).
void append_server_refusal(std::string& out, std::string_view sqlstate, std::string_view message);

}  // namespace pgweir
