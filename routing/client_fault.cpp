#include "routing/client_fault.hpp"

#include <array>

#include "protocol/backend/error_response.hpp"
#include "protocol/body_writer.hpp"

namespace pgweir {
namespace {

constexpr const char* compat = "08P01";     // PgBouncer knows no other code
constexpr const char* none = "";

constexpr const char* see_password =
    "The password, the user's entry in auth_file and auth_type have to fit each other; unknown users fail the same way.";
constexpr const char* see_parameters =
    "Add it to track_extra_parameters if the server reports it, or to ignore_startup_parameters.";
constexpr const char* see_server_log = "The log says why the server could not be logged in to.";

// In the order of the enum, which the static_assert below holds.
constexpr auto rows = std::to_array<FaultRow>({
    {Fault::none, "00000", compat, "", none, none, FaultLevel::log},

    {Fault::old_protocol, "0A000", compat, "old V2 protocol not supported", none, none, FaultLevel::warning},
    {Fault::bad_start_up_packet, "08P01", compat, "invalid startup packet layout: expected terminator as last byte", none, none,
     FaultLevel::warning},
    {Fault::start_up_too_long, "08P01", compat, "invalid length of startup packet", none,
     "A start-up packet may have 10000 bytes.", FaultLevel::warning},
    {Fault::bad_packet_header, "08P01", compat, "bad packet header: '{}'", none,
     "This port speaks the PostgreSQL protocol; TLS begins with an SSLRequest.", FaultLevel::warning},
    {Fault::unknown_packet, "08P01", compat, "unknown pkt", none, none, FaultLevel::warning},
    {Fault::repeated_start_up, "08P01", compat, "client re-sent startup pkt", none, none, FaultLevel::warning},
    {Fault::no_user, "28000", compat, "no username supplied", none, none, FaultLevel::warning},
    {Fault::user_name_too_long, "28000", compat, "username too long", none, "User names may have 127 bytes.",
     FaultLevel::warning},
    {Fault::unsupported_start_up_parameter, "42704", compat, "unsupported startup parameter: {}", none, see_parameters,
     FaultLevel::warning},
    {Fault::unsupported_option, "42704", compat, "unsupported startup parameter in options: {}", none, see_parameters,
     FaultLevel::warning},
    {Fault::unsupported_option_form, "42601", compat,
     "unsupported options startup parameter: only '-c config=val' and '--config=val' are allowed", none, none,
     FaultLevel::warning},
    {Fault::ssl_required, "28000", compat, "SSL required", none, "Connect with sslmode=require.", FaultLevel::warning},
    {Fault::unencrypted_data_after_ssl_request, "08P01", compat, "received unencrypted data after SSL request",
     "This could be either a client bug or an attempted man-in-the-middle attack.", none, FaultLevel::warning},
    {Fault::unencrypted_data_after_gss_request, "08P01", compat, "received unencrypted data after GSSAPI encryption request",
     "This could be either a client bug or an attempted man-in-the-middle attack.", none, FaultLevel::warning},
    {Fault::too_many_clients, "53300", compat, "no more connections allowed (max_client_conn)", none,
     "Raise max_client_conn, or close idle clients with client_idle_timeout.", FaultLevel::warning},
    {Fault::too_many_database_clients, "53300", compat, "client connections exceeded (max_db_client_connections)", none,
     "SHOW DATABASES has the current number and the bound.", FaultLevel::warning},
    {Fault::too_many_user_clients, "53300", compat, "client connections exceeded (max_user_client_connections)", none,
     "SHOW USERS has the current number and the bound.", FaultLevel::warning},
    {Fault::no_such_database, "3D000", compat, "no such database: {}", none, "It needs a line in [databases], or one for *.",
     FaultLevel::warning},
    {Fault::database_disabled, "55000", compat, "database \"{}\" is disabled", none,
     "ENABLE on the admin console allows logins again.", FaultLevel::warning},
    {Fault::shutting_down, "57P01", compat, "pooler is shutting down", none, none, FaultLevel::warning},
    {Fault::console_not_allowed, "42501", compat, "not allowed", none,
     "The admin console is for users in admin_users and stats_users.", FaultLevel::warning},
    {Fault::bouncer_config_error, "F0000", compat, "bouncer config error", none, "The log says what is wrong.",
     FaultLevel::error},
    {Fault::trust_failed, "28000", compat, "\"trust\" authentication failed", none,
     "The user needs a line in auth_file or [users].", FaultLevel::warning},
    {Fault::password_failed, "28P01", compat, "password authentication failed", none, see_password, FaultLevel::warning},
    {Fault::sasl_failed, "28P01", compat, "SASL authentication failed", none, see_password, FaultLevel::warning},
    {Fault::certificate_failed, "28000", compat, "certificate authentication failed", none,
     "auth_type = cert wants a client certificate that bears the user's name.", FaultLevel::warning},
    {Fault::empty_password, "28P01", compat, "empty password returned by client", none, none, FaultLevel::warning},
    {Fault::client_login_timeout, "57014", compat, "client_login_timeout", none, none, FaultLevel::warning},
    {Fault::client_login_timeout_server_down, "57P03", compat, "client_login_timeout (server down)", none, see_server_log,
     FaultLevel::warning},
    {Fault::server_login_failed, "08006", compat, "{}", none, none, FaultLevel::warning},
    {Fault::server_login_failing, "57P03", compat, "server login has been failing, cached error: {} (server_login_retry)", none,
     see_server_log, FaultLevel::warning},
    {Fault::server_login_wrong_password_type, "28000", compat, "server login failed: wrong password type", none,
     "A stored md5 or SCRAM secret answers only servers that store the same; a plain password answers all.",
     FaultLevel::warning},

    {Fault::query_wait_timeout, "53300", compat, "query_wait_timeout",
     "No server connection became free within query_wait_timeout.", "Raise pool_size, or look for long transactions in SHOW SERVERS.", FaultLevel::warning},
    {Fault::query_timeout_waiting, "57014", compat, "query_timeout", "The time went by while waiting for a server connection.",
     "Raise pool_size, or look for long transactions in SHOW SERVERS.", FaultLevel::warning},
    {Fault::client_idle_timeout, "57P05", compat, "client_idle_timeout", none, none, FaultLevel::warning},
    {Fault::query_timeout, "57014", compat, "query timeout", none, none, FaultLevel::warning},
    {Fault::idle_transaction_timeout, "25P03", compat, "idle transaction timeout", none,
     "The transaction was rolled back: commit sooner, or raise idle_transaction_timeout.", FaultLevel::warning},
    {Fault::transaction_timeout, "25P04", compat, "transaction timeout", none, none, FaultLevel::warning},

    {Fault::server_lost, "08006", compat, "server conn crashed?", "The connection to the server was lost.",
     "A transaction under way may or may not have been committed.", FaultLevel::warning},
    {Fault::server_protocol_error, "08006", compat, "invalid message from server",
     "The server sent what the protocol does not allow, and its connection was closed.", none, FaultLevel::error},
    {Fault::invalid_server_parameter, "22023", compat, "invalid server parameter",
     "The server refused a value that this client had asked for.", none, FaultLevel::warning},
    {Fault::statement_mode_transaction, "0A000", compat, "transaction blocks not allowed in statement pooling mode", none,
     "Use pool_mode = transaction for this database or user.", FaultLevel::warning},
    {Fault::database_removed, "57P01", compat, "database removed", none, none, FaultLevel::warning},
    {Fault::server_shutting_down, "57P01", compat, "server shutting down", none, none, FaultLevel::warning},
    {Fault::admin_disconnect, "57P01", compat, "admin forced disconnect", none, none, FaultLevel::warning},

    {Fault::protocol_violation, "08P01", compat, "invalid message from client", none, none, FaultLevel::warning},
    {Fault::packet_too_large, "08P01", compat, "bad packet header: '{}'", none, "max_packet_size bounds one message.",
     FaultLevel::warning},
    {Fault::message_too_long, "08P01", compat, "message too long", none,
     "The text of a prepared statement may have 16 MB, the names in a Bind 4 MB.", FaultLevel::warning},
    {Fault::simple_query_refused, "0A000", compat, "PQexec disallowed", none, "disable_pqexec is set.", FaultLevel::warning},
    {Fault::statement_name_taken, "42P05", compat, "prepared statement \"{}\" already exists", none, none, FaultLevel::log},
    {Fault::unnamed_statement_missing, "26000", compat, "unnamed prepared statement does not exist", none, none, FaultLevel::log},
    {Fault::too_many_statements, "54000", compat, "too many prepared statements: \"{}\" is not prepared", none,
     "Close or DEALLOCATE those that are not used any more.", FaultLevel::log},
    {Fault::internal_pairing, "XX000", compat, "internal error: replies do not pair with requests", none,
     "This is a bug in pgweir.", FaultLevel::error},

    {Fault::no_such_user, "28P01", compat, "no such user", none, none, FaultLevel::warning},
    {Fault::auth_database_disabled, "55000", compat, "authentication database \"{}\" is disabled", none,
     "ENABLE on the admin console allows its use again.", FaultLevel::warning},
    {Fault::replication_login_failed, "08006", compat, "login failed", none, see_server_log, FaultLevel::warning},
    {Fault::suspend_timeout, "57P01", compat, "suspend_timeout", none, none, FaultLevel::warning},
});

constexpr bool rows_follow_the_enum() {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].fault != static_cast<Fault>(i)) return false;
    return rows.size() == static_cast<std::size_t>(Fault::count_);
}
static_assert(rows_follow_the_enum(), "every fault has its row, in order");

// A NUL would end the field, and what comes behind it would be taken for further fields.
std::string without_nul(std::string_view text) { return std::string(text.substr(0, text.find('\0'))); }

class ErrorWriter {
public:
    // An empty text is left out.
    ErrorWriter& add(char code, std::string_view text) {
        if (!text.empty()) fields_.add({code, text});
        return *this;
    }
    void append_to(std::string& out) const { append_message(out, backend::ErrorResponse{fields_.view()}); }

private:
    backend::ErrorFieldsBuilder fields_;
};

}  // namespace

const FaultRow& fault_row(Fault fault) { return rows[static_cast<std::size_t>(fault)]; }

Fault client_fault_of(ProtocolError error) {
    switch (error) {
        case ProtocolError::bad_length:
        case ProtocolError::too_long: return Fault::bad_packet_header;
        case ProtocolError::unknown_message_type: return Fault::unknown_packet;
        default: return Fault::protocol_violation;
    }
}

std::string fault_message(Fault fault, std::string_view argument) {
    std::string text = fault_row(fault).message;
    if (const auto at = text.find("{}"); at != std::string::npos) text.replace(at, 2, without_nul(argument));
    return text;
}

void append_fault(std::string& out, Fault fault, std::string_view argument, bool compat_codes, std::string_view severity) {
    using namespace backend;
    const auto& row = fault_row(fault);
    ErrorWriter()
        .add(error_field::severity, severity)
        .add(error_field::sqlstate, compat_codes ? row.compat_sqlstate : row.sqlstate)
        .add(error_field::message, fault_message(fault, argument))
        .add(error_field::detail, row.detail)
        .add(error_field::hint, row.hint)
        .append_to(out);
}

void append_server_refusal(std::string& out, std::string_view sqlstate, std::string_view message) {
    using namespace backend;
    ErrorWriter()
        .add(error_field::severity, "FATAL")
        .add(error_field::sqlstate, sqlstate.empty() ? "08006" : sqlstate)
        .add(error_field::message, message)
        .append_to(out);
}

}  // namespace pgweir
