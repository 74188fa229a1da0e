// The start-up packets of a client: requests for encryption, a cancel, and who it says it is.
#include <algorithm>

#include "protocol/backend/negotiate_protocol_version.hpp"
#include "protocol/frontend/cancel_request.hpp"
#include "protocol/frontend/gss_enc_request.hpp"
#include "protocol/frontend/ssl_request.hpp"
#include "protocol/frontend/startup_message.hpp"
#include "routing/client_login.hpp"
#include "routing/console_name.hpp"
#include "routing/packet_header.hpp"

namespace pgweir {
namespace {

constexpr std::int64_t start_up_body_bytes_max = 10'000;      // as PostgreSQL
constexpr char tls_handshake_byte = 0x16;                     // how a TLS connection begins

constexpr bool is_reserved_option(std::string_view name) { return name.starts_with("_pq_."); }

ParameterList copy_of(const frontend::ParameterList& parameters) {
    ParameterList list;
    for (const auto& parameter : parameters) list.emplace_back(parameter.name, parameter.value);
    return list;
}

}  // namespace

bool ClientLogin::read_start_up_packet() {
    const Bytes bytes = unread();
    if (bytes.starts_with(tls_handshake_byte) && may_use_tls() && !is_tls_ && !ssl_requested_) {
        step_ = Step::negotiate_tls;                          // TLS without asking first
        return false;
    }
    if (bytes.size() < 2 * length_bytes) return false;        // length and code: the least that a packet has
    const auto body_length = body_length_in(bytes);
    // A first byte other than zero is another protocol's: HTTP, TLS without a request, a message with a type byte.
    if (bytes[0] != '\0' || body_length < std::int64_t{length_bytes}) {
        refuse(Fault::bad_packet_header, hex_of(bytes.substr(0, 2 * length_bytes)));
        return false;
    }
    if (body_length > start_up_body_bytes_max) {
        refuse(Fault::start_up_too_long);
        return false;
    }
    const auto whole_length = length_bytes + static_cast<std::size_t>(body_length);
    if (bytes.size() < whole_length) return false;
    consumed_ += whole_length;
    on_start_up_packet(bytes.substr(length_bytes, whole_length - length_bytes));
    return true;
}

void ClientLogin::on_start_up_packet(Bytes body) {
    const auto kind = frontend::classify_start_up_packet(BodyReader(body));
    if (!kind) return refuse(Fault::bad_packet_header, hex_of(Bytes(input_).substr(consumed_ - body.size() - length_bytes, 2 * length_bytes)));
    switch (*kind) {
        case frontend::StartUpKind::ssl_request:
            return frontend::SslRequest::parse(BodyReader(body)) ? on_ssl_request() : refuse(Fault::bad_start_up_packet);
        case frontend::StartUpKind::gss_enc_request:
            return frontend::GssEncRequest::parse(BodyReader(body)) ? on_gss_request() : refuse(Fault::bad_start_up_packet);
        case frontend::StartUpKind::cancel_request: return on_cancel_request(body);
        case frontend::StartUpKind::startup_message: return on_start_up_message(body);
        case frontend::StartUpKind::old_protocol: return refuse(Fault::old_protocol);
    }
}

// Bytes that came along with the request were sent before our answer: by one who does not care for it, or by an attacker
// who wants them taken for what comes encrypted. Each request once, so that a peer cannot go on asking.
void ClientLogin::on_ssl_request() {
    if (!unread().empty()) return refuse(Fault::unencrypted_data_after_ssl_request);
    if (std::exchange(ssl_requested_, true) || is_tls_) return refuse(Fault::unknown_packet);
    output_ += may_use_tls() ? 'S' : 'N';
    if (may_use_tls()) step_ = Step::negotiate_tls;
}

void ClientLogin::on_gss_request() {
    if (!unread().empty()) return refuse(Fault::unencrypted_data_after_gss_request);
    if (std::exchange(gss_requested_, true)) return refuse(Fault::unknown_packet);
    output_ += 'N';
}

// Plain ones too where TLS is required, as PostgreSQL has it: libpq up to 16 sends no others.
void ClientLogin::on_cancel_request(Bytes body) {
    step_ = Step::close;
    if (!frontend::CancelRequest::parse(BodyReader(body))) return;
    cancel_key_ = body.substr(length_bytes);                  // behind the code
    step_ = Step::cancel;
}

void ClientLogin::on_start_up_message(Bytes body) {
    const auto message = frontend::StartupMessage::parse(BodyReader(body));
    if (!message) return refuse(Fault::bad_start_up_packet);
    const auto sent = copy_of(message->parameters);
    negotiate_version(message->version, sent);
    if (lacks_tls()) return refuse(Fault::ssl_required);

    result_.parameters = read_start_up_parameters(sent, rules_->start_up);
    const auto& parameters = result_.parameters;
    result_.user = parameters.user;
    result_.database = parameters.database;
    if (parameters.fault != Fault::none) return refuse(parameters.fault, parameters.fault_argument);
    add_host_to_application_name();

    is_console_owner_ = is_console() && peer_.is_unix_socket && peer_.is_own_user && is_console_database(result_.user);
    if (!is_console()) database_ = directory_.find_database(result_.database);
    if (!choose_user()) return;

    const bool is_exempt = console_role() == ConsoleRole::admin;
    ask_admission({.process = !is_console(), .database = !is_exempt, .user = !is_exempt && user_.known == UserKnown::yes});
}

// PostgreSQL manual, "Protocol Flow", "Start-up": what is told is the version that is spoken from now on, and only a client
// that asked for more than we know is told anything.
void ClientLogin::negotiate_version(ProtocolVersion asked, const ParameterList& sent) {
    result_.protocol = std::min(asked, protocol_newest);
    NameListBuilder unknown;
    for (const auto& [name, value] : sent)
        if (is_reserved_option(name)) unknown.add(name);
    if (asked <= protocol_newest && unknown.view().empty()) return;
    append_message(output_, backend::NegotiateProtocolVersion{result_.protocol, unknown.view()});
}

void ClientLogin::add_host_to_application_name() {
    if (!rules_->application_name_add_host) return;
    auto& tracked = result_.parameters.tracked;
    const auto* given = find_parameter(tracked, "application_name");
    set_parameter(tracked, "application_name", (given ? *given : "app") + " - " + peer_.address);
}

// Whose password counts. False: refused.
bool ClientLogin::choose_user() {
    // Nobody is checked, so the name is the database's choice; and an unknown database is no secret kept from strangers.
    if (rules_->auth_type == AuthType::any && !is_console()) {
        if (!database_.exists) refuse(Fault::no_such_database, result_.database);
        else if (database_.forced_user.empty()) refuse(Fault::bouncer_config_error);
        if (step_ == Step::refused) return false;
        result_.user = database_.forced_user;
    }
    user_ = directory_.find_user(result_.user, result_.database);
    const bool nobody_is_asked = rules_->auth_type == AuthType::any || is_console_owner_;
    if (nobody_is_asked) user_.known = UserKnown::yes;
    if (user_.known != UserKnown::yes) user_.secret = {};    // so that no check can succeed
    return true;
}

}  // namespace pgweir
