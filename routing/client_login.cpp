#include "routing/client_login.hpp"

#include <algorithm>
#include <cassert>

#include "protocol/backend/authentication.hpp"
#include "protocol/frontend/password_message.hpp"
#include "protocol/frontend/sasl_initial_response.hpp"
#include "routing/console_name.hpp"
#include "routing/packet_header.hpp"

namespace pgweir {
namespace {

constexpr std::int64_t login_body_bytes_max = 65'535;         // as PostgreSQL; the longest password fits
constexpr std::size_t type_bytes = 1;

bool is_listed(const std::vector<std::string>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

std::string random_bytes(RandomSource& random, std::size_t size) {
    std::string bytes(size, '\0');
    random.fill(bytes.data(), bytes.size());
    return bytes;
}

}  // namespace

ClientLogin::ClientLogin(std::shared_ptr<const LoginRules> rules, const LoginDirectory& directory, RandomSource& random,
                         ClientPeer peer)
    : rules_(std::move(rules)), directory_(directory), random_(random), peer_(std::move(peer)) {}

// Events

void ClientLogin::on_bytes(Bytes bytes) {
    assert(step_ == Step::read);
    input_.erase(0, consumed_);
    consumed_ = 0;
    input_.append(bytes);
    received_bytes_ = received_bytes_ || !bytes.empty();
    advance();
}

void ClientLogin::on_end() { step_ = Step::close; }

void ClientLogin::on_tls_ready(TlsFacts facts) {
    assert(step_ == Step::negotiate_tls);
    consumed_ = input_.size();                // the handshake has had it
    is_tls_ = true;
    tls_ = std::move(facts);
    step_ = Step::read;
}

void ClientLogin::on_tls_failed() {
    assert(step_ == Step::negotiate_tls);
    step_ = Step::close;
}

void ClientLogin::on_admitted(Fault fault, std::string_view argument) {
    assert(step_ == Step::admit);
    if (fault != Fault::none) return refuse(fault, argument);
    step_ = Step::read;
    if (user_.known == UserKnown::ask) step_ = Step::look_up_user;
    else begin_authentication();
    advance();
}

// Only now is the user known, so only now counted.
void ClientLogin::on_user_found(StoredSecret secret) {
    assert(step_ == Step::look_up_user);
    user_ = {UserKnown::yes, std::move(secret)};
    ask_admission({.user = console_role() != ConsoleRole::admin});
    advance();
}

void ClientLogin::on_user_fault(Fault fault, std::string_view argument) {
    assert(step_ == Step::look_up_user);
    refuse(fault, argument);
}

void ClientLogin::on_derived(const ScramKeys& keys) {
    assert(step_ == Step::derive);
    step_ = Step::read;
    derive_job_.password.clear();
    if (scram_) {
        finish_scram(stored_key_of(keys.client_key), keys.server_key);
    } else if (matches(*user_.secret.scram(), keys)) {
        result_.scram_keys = keys;            // the password that was offered is the stored secret's: so are its keys
        on_checked();
    } else {
        refuse(Fault::password_failed);
    }
    advance();
}

void ClientLogin::refuse(Fault fault, std::string_view argument) {
    fault_ = fault;
    fault_argument_ = argument;
    append_fault(output_, fault, argument, rules_->compat_error_codes);
    step_ = Step::refused;
}

// From bytes to messages

void ClientLogin::advance() {
    while (step_ == Step::read && (expected_ == Expected::start_up_packet ? read_start_up_packet() : read_login_message())) {
    }
}

bool ClientLogin::read_login_message() {
    const Bytes bytes = unread();
    if (bytes.empty()) return false;
    const auto type = static_cast<frontend::Type>(bytes[0]);
    if (type == frontend::Type::terminate) {
        step_ = Step::close;
        return false;
    }
    if (type != frontend::Type::password) {
        refuse(bytes[0] == '\0' ? Fault::repeated_start_up : Fault::unknown_packet);
        return false;
    }
    if (bytes.size() < type_bytes + length_bytes) return false;
    const auto body_length = body_length_in(bytes.substr(type_bytes));
    if (body_length < 0 || body_length > login_body_bytes_max) {
        refuse(Fault::bad_packet_header, hex_of(bytes.substr(0, type_bytes + length_bytes)));
        return false;
    }
    const auto whole_length = type_bytes + length_bytes + static_cast<std::size_t>(body_length);
    if (bytes.size() < whole_length) return false;
    consumed_ += whole_length;
    on_login_message(bytes.substr(type_bytes + length_bytes, whole_length - type_bytes - length_bytes));
    return true;
}

// The start-up phase

void ClientLogin::ask_admission(Admission admission) {
    admission_ = admission;
    step_ = Step::admit;
    if (admission == Admission{}) on_admitted(Fault::none);
}

// Checking who it is

void ClientLogin::begin_authentication() {
    login_attempt_ = true;
    if (is_console_owner_) return on_checked();
    const bool has_scram_secret = user_.secret.kind() == SecretKind::scram;
    switch (rules_->auth_type) {
        case AuthType::any: return on_checked();
        case AuthType::trust: return user_.known == UserKnown::yes ? on_checked() : refuse(Fault::trust_failed);
        case AuthType::plain: return ask_for_password();
        case AuthType::md5: return has_scram_secret ? ask_for_scram() : ask_for_md5();
        case AuthType::scram_sha_256: return ask_for_scram();
        case AuthType::cert: return check_certificate();
        case AuthType::hba:
        case AuthType::ldap:
        case AuthType::pam: break;            // refused when the settings are loaded
    }
    refuse(Fault::bouncer_config_error);
}

// The handshake has checked it against the CA; whose it is, is checked here.
void ClientLogin::check_certificate() {
    if (!is_tls_) log_reason_ = "TLS connection required";
    else if (!tls_.has_certificate) log_reason_ = "TLS client certificate required";
    else if (!is_listed(tls_.names, result_.user)) log_reason_ = "TLS certificate name mismatch";
    if (!log_reason_.empty() || user_.known != UserKnown::yes) return refuse(Fault::certificate_failed);
    on_checked();
}

void ClientLogin::ask_for_password() {
    append_message(output_, backend::AuthenticationCleartextPassword{});
    expected_ = Expected::password;
}

void ClientLogin::ask_for_md5() {
    backend::AuthenticationMd5Password request{};
    random_.fill(request.salt.data(), request.salt.size());
    md5_salt_.assign(request.salt.data(), request.salt.size());
    append_message(output_, request);
    expected_ = Expected::md5_answer;
}

// Where no SCRAM secret is stored the salt is made up, in the same way for a plain password, none, and no such user.
void ClientLogin::ask_for_scram() {
    const auto nonce = scram_nonce(random_bytes(random_, scram_nonce_random_bytes));
    if (const auto& secret = user_.secret.scram()) scram_.emplace(secret->salt, secret->iterations, nonce, tls_.end_point);
    else scram_.emplace(scram_salt_for(result_.user, rules_->scram_salt_key), rules_->scram_iterations, nonce, tls_.end_point);

    NameListBuilder mechanisms;
    if (scram_->offers_plus()) mechanisms.add(scram_plus_mechanism);
    mechanisms.add(scram_mechanism);
    append_message(output_, backend::AuthenticationSasl{mechanisms.view()});
    expected_ = Expected::sasl_initial;
}

void ClientLogin::on_login_message(Bytes body) {
    switch (expected_) {
        case Expected::password:
        case Expected::md5_answer: return on_password(body);
        case Expected::sasl_initial: return on_sasl_initial(body);
        case Expected::sasl_final: return on_sasl_final(body);
        case Expected::start_up_packet: break;
    }
    assert(false);
}

void ClientLogin::on_password(Bytes body) {
    const auto message = frontend::PasswordMessage::parse(BodyReader(body));
    if (!message) return refuse(Fault::protocol_violation);
    if (message->password.empty()) return refuse(Fault::empty_password);
    if (expected_ == Expected::password) check_password(message->password);
    else check_md5_answer(message->password);
}

void ClientLogin::check_password(std::string_view password) {
    const auto& secret = user_.secret;
    if (secret.scram()) return derive(std::string(password), secret.scram()->salt, secret.scram()->iterations);
    if (!secret.matches_password(password, result_.user)) return refuse(Fault::password_failed);
    on_checked();
}

void ClientLogin::check_md5_answer(std::string_view answer) {
    if (!user_.secret.matches_md5_answer(answer, result_.user, md5_salt_)) return refuse(Fault::password_failed);
    on_checked();
}

void ClientLogin::on_sasl_initial(Bytes body) {
    const auto message = frontend::SaslInitialResponse::parse(BodyReader(body));
    if (!message || !message->response) return refuse(Fault::sasl_failed);
    const auto server_first = scram_->first(*message->response, message->mechanism);
    if (!server_first) return refuse(Fault::sasl_failed);
    append_message(output_, backend::AuthenticationSaslContinue{*server_first});
    expected_ = Expected::sasl_final;
}

void ClientLogin::on_sasl_final(Bytes body) {
    const auto& secret = user_.secret;
    if (!scram_->take_final(body)) return refuse(Fault::sasl_failed);
    if (secret.scram()) return finish_scram(secret.scram()->stored_key, secret.scram()->server_key);
    if (secret.kind() == SecretKind::plain) return derive(secret.text(), scram_->salt(), scram_->iterations());
    refuse(Fault::sasl_failed);
}

void ClientLogin::finish_scram(const Sha256Digest& stored_key, const Sha256Digest& server_key) {
    const auto server_final = scram_->finish(stored_key, server_key);
    if (!server_final) return refuse(Fault::sasl_failed);
    append_message(output_, backend::AuthenticationSaslFinal{*server_final});
    // Keys derived from a plain password with a salt of our own fit no server: they are not for passing on.
    if (user_.secret.scram()) result_.scram_keys = scram_->proven_keys();
    on_checked();
}

void ClientLogin::derive(std::string password, std::string salt, int iterations) {
    derive_job_ = {std::move(password), std::move(salt), iterations};
    step_ = Step::derive;
}

// What only one who has proved who he is may hear.
void ClientLogin::on_checked() {
    result_.console = console_role();
    result_.is_console_owner = is_console_owner_;
    result_.secret = user_.secret;
    if (is_console()) {
        if (result_.console == ConsoleRole::none) return refuse(Fault::console_not_allowed);
    } else {
        if (!database_.exists) return refuse(Fault::no_such_database, result_.database);
        if (database_.is_disabled) return refuse(Fault::database_disabled, result_.database);
        if (directory_.is_shutting_down()) return refuse(Fault::shutting_down);
    }
    step_ = Step::authenticated;
}

bool ClientLogin::is_console() const { return is_console_database(result_.database); }

ConsoleRole ClientLogin::console_role() const {
    if (!is_console()) return ConsoleRole::none;
    if (is_console_owner_ || is_listed(rules_->admin_users, result_.user)) return ConsoleRole::admin;
    const bool may_look = rules_->auth_type == AuthType::any || is_listed(rules_->stats_users, result_.user);
    return may_look ? ConsoleRole::stats : ConsoleRole::none;
}

}  // namespace pgweir
