#include "routing/server_login.hpp"

#include <cassert>
#include <utility>

#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/negotiate_protocol_version.hpp"
#include "protocol/backend/parameter_status.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/cancel_secret.hpp"
#include "protocol/frontend/password_message.hpp"
#include "protocol/frontend/sasl_initial_response.hpp"
#include "protocol/frontend/sasl_response.hpp"
#include "protocol/frontend/startup_message.hpp"
#include "protocol/scram/md5_password.hpp"

namespace pgweir {
namespace {

// Far above any notice or setting, far below what would hurt: a peer that is no PostgreSQL server is found out here.
constexpr std::int32_t body_bytes_max = 1 << 24;
constexpr std::size_t header_bytes = 5;

constexpr std::string_view not_bound = "channel binding required, but the server did not offer it";

bool has(const NameList& mechanisms, Bytes wanted) {
    for (const Bytes name : mechanisms)
        if (name == wanted) return true;
    return false;
}

}  // namespace

ServerLogin::ServerLogin(ServerLoginRequest request, RandomSource& random) : request_(std::move(request)), random_(random), spoken_(request_.protocol) {
    frontend::ParameterListBuilder parameters;
    parameters.add({"user", request_.user}).add({"database", request_.database});
    for (const auto& [name, value] : request_.parameters) parameters.add({name, value});
    append_packet(output_, frontend::StartupMessage{request_.protocol, parameters.view()});
}

// Events

void ServerLogin::on_bytes(Bytes bytes) {
    assert(step_ == Step::read);
    input_.erase(0, consumed_);
    consumed_ = 0;
    input_.append(bytes);
    while (step_ == Step::read && read_message()) {
    }
}

void ServerLogin::on_end() {
    ended_ = true;
    if (step_ == Step::read || step_ == Step::derive) fail("server conn crashed?");
}

void ServerLogin::on_derived(const ScramKeys& keys) {
    assert(step_ == Step::derive);
    step_ = Step::read;
    derive_job_.password.clear();
    send_proof(keys);
    while (step_ == Step::read && read_message()) {
    }
}

void ServerLogin::fail(std::string_view reason, Fault client_fault) {
    reason_ = reason;
    client_fault_ = client_fault;
    step_ = Step::failed;
}

// From bytes to messages

bool ServerLogin::read_message() {
    const Bytes bytes = leftover();
    if (bytes.size() < header_bytes) return false;
    const auto body_length = std::int64_t{BodyReader(bytes.substr(1)).int32()} - 4;
    if (body_length < 0 || body_length > body_bytes_max) {
        fail("bad packet header");
        return false;
    }
    const auto whole_length = header_bytes + static_cast<std::size_t>(body_length);
    if (bytes.size() < whole_length) return false;
    consumed_ += whole_length;
    on_message(static_cast<backend::Type>(bytes[0]), bytes.substr(header_bytes, whole_length - header_bytes));
    return true;
}

void ServerLogin::on_message(backend::Type type, Bytes body) {
    switch (type) {
        case backend::Type::notice_response: return;
        case backend::Type::error_response: return on_error(body);
        case backend::Type::authentication: return on_authentication(body);
        case backend::Type::negotiate_protocol_version: return on_negotiate(body);
        default: break;
    }
    // Before it has let us in a server has nothing else to say.
    if (proof_ != Proof::done) return fail("unexpected message during server login");
    switch (type) {
        case backend::Type::parameter_status: return on_parameter_status(body);
        case backend::Type::backend_key_data: return on_key(body);
        case backend::Type::ready_for_query: return on_ready(body);
        default: return fail("unexpected message during server login");
    }
}

// Before anything else, and once. We ask for no `_pq_.` option, so there is none that it could not know.
void ServerLogin::on_negotiate(Bytes body) {
    const auto answer = backend::NegotiateProtocolVersion::parse(BodyReader(body));
    const bool fits = answer && !heard_ && answer->unknown_options.empty() && answer->newest >= protocol_3_0 && answer->newest < request_.protocol;
    if (!fits) return fail("invalid protocol version negotiation by server");
    spoken_ = answer->newest;
    heard_ = true;
}

// Servers of before the negotiation refuse a newer minor version, or close without a word.
bool ServerLogin::is_version_refused() const {
    if (heard_ || request_.protocol == protocol_3_0) return false;
    if (step_ == Step::refused) return sqlstate_ == "0A000" || sqlstate_ == "08P01";
    return step_ == Step::failed && ended_;
}

void ServerLogin::on_error(Bytes body) {
    using namespace backend;
    const auto error = ErrorResponse::parse(BodyReader(body));
    if (!error) return fail("malformed error response during server login");
    severity_ = std::string(error->fields.field(error_field::severity));
    sqlstate_ = std::string(error->fields.field(error_field::sqlstate));
    message_ = std::string(error->fields.field(error_field::message));
    reason_ = message_;
    step_ = Step::refused;
}

void ServerLogin::on_parameter_status(Bytes body) {
    const auto status = backend::ParameterStatus::parse(BodyReader(body));
    if (!status) return fail("malformed parameter status during server login");
    set_parameter(parameters_, status->name, status->value);
}

void ServerLogin::on_key(Bytes body) {
    const auto key = backend::BackendKeyData::parse(BodyReader(body));
    if (!key || !is_cancel_secret(key->secret.size(), spoken_)) return fail("malformed cancel key during server login");
    cancel_key_ = body;
}

void ServerLogin::on_ready(Bytes body) {
    const auto ready = backend::ReadyForQuery::parse(BodyReader(body));
    if (!ready || ready->transaction != backend::TransactionStatus::idle) return fail("server not idle after login");
    step_ = Step::ready;
}

// Proving who we are

void ServerLogin::on_authentication(Bytes body) {
    using namespace backend;
    heard_ = true;
    const auto authentication = Authentication::parse(BodyReader(body));
    if (!authentication) return fail("malformed authentication request");
    const auto& request = authentication->request;
    if (std::holds_alternative<AuthenticationOk>(request)) return on_ok();
    if (const auto* next = std::get_if<AuthenticationSaslContinue>(&request)) return on_sasl_continue(next->data);
    if (const auto* final = std::get_if<AuthenticationSaslFinal>(&request)) return on_sasl_final(final->data);

    // What is left begins an exchange, and a login has one at most.
    if (proof_ != Proof::none) return fail("repeated authentication request");
    const auto* sasl = std::get_if<AuthenticationSasl>(&request);
    if (must_bind() && sasl == nullptr) return fail(not_bound);    // before a password is given away
    if (std::holds_alternative<AuthenticationCleartextPassword>(request)) return on_cleartext();
    if (const auto* md5 = std::get_if<AuthenticationMd5Password>(&request)) return on_md5({md5->salt.data(), md5->salt.size()});
    if (sasl != nullptr) return on_sasl(sasl->mechanisms);
    fail("unsupported authentication request");
}

// A server that has begun SCRAM must end it: one that lets us in half way does not know the secret.
void ServerLogin::on_ok() {
    if (proof_ == Proof::scram_begun || proof_ == Proof::scram_sent) return fail("SCRAM authentication cut short by server");
    if (proof_ == Proof::done) return fail("repeated authentication request");
    // Let in without a bound exchange: by somebody in between, for all we know.
    if (must_bind() && proof_ != Proof::scram_accepted) return fail(not_bound);
    proof_ = Proof::done;
}

void ServerLogin::on_cleartext() { send_password(request_.secret.text()); }

void ServerLogin::on_md5(Bytes salt) {
    const auto& secret = request_.secret;
    if (secret.kind() == SecretKind::md5) return send_password(md5_answer(secret.text(), salt));
    if (secret.kind() == SecretKind::plain) return send_password(md5_answer(md5_secret(secret.text(), request_.user), salt));
    fail_on_secret("cannot do MD5 authentication: wrong password type");
}

void ServerLogin::send_password(std::string_view password) {
    append_message(output_, frontend::PasswordMessage{password});
    proof_ = Proof::password_sent;
}

void ServerLogin::on_sasl(const NameList& mechanisms) {
    const bool may_bind = request_.is_tls && !request_.end_point.empty() && request_.channel_binding != ChannelBinding::disable;
    const bool binds = may_bind && has(mechanisms, scram_plus_mechanism);
    if (must_bind() && !binds) return fail(not_bound);
    if (!binds && !has(mechanisms, scram_mechanism)) return fail("no SASL authentication mechanism of the server's is supported");
    switch (request_.secret.kind()) {
        case SecretKind::plain: break;
        case SecretKind::scram:
            if (request_.scram_keys) break;
            return fail_on_secret("cannot do SCRAM authentication: no client has logged in by SCRAM for this user yet");
        case SecretKind::none: return fail_on_secret("cannot do SCRAM authentication: no password is stored");
        case SecretKind::md5: return fail_on_secret("cannot do SCRAM authentication: wrong password type");
    }
    begin_scram(binds ? ScramBinding::bound : may_bind ? ScramBinding::not_offered : ScramBinding::none);
}

void ServerLogin::begin_scram(ScramBinding binding) {
    std::string nonce(scram_nonce_random_bytes, '\0');
    random_.fill(nonce.data(), nonce.size());
    scram_.emplace(scram_nonce(nonce), binding, request_.end_point);
    const auto first = scram_->first();
    append_message(output_, frontend::SaslInitialResponse{scram_->mechanism(), first});
    proof_ = Proof::scram_begun;
}

void ServerLogin::on_sasl_continue(Bytes data) {
    if (proof_ != Proof::scram_begun || !scram_->take_server_first(data)) return fail("malformed SCRAM message from server");
    if (request_.secret.kind() == SecretKind::scram) return send_proof(*request_.scram_keys);
    derive_job_ = {request_.secret.text(), scram_->salt(), scram_->iterations()};
    step_ = Step::derive;
}

void ServerLogin::send_proof(const ScramKeys& keys) {
    const auto proof = scram_->final_message(keys);
    append_message(output_, frontend::SaslResponse{proof});
    proof_ = Proof::scram_sent;
}

void ServerLogin::on_sasl_final(Bytes data) {
    if (proof_ != Proof::scram_sent) return fail("malformed SCRAM message from server");
    if (!scram_->accepts(data)) return fail("invalid SCRAM signature from server");
    proof_ = Proof::scram_accepted;
}

}  // namespace pgweir
