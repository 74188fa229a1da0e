// The login of one new server connection, from the start-up message to the first ReadyForQuery: bytes in, bytes and steps
// out. Starts when the socket (and TLS, if any) is up.
//
// Promises: bounded memory; a server that asks for SCRAM must prove that it knows the secret, and with
// channel_binding=require that it is the one at the other end of this TLS connection; the outcome does not depend on how
// the bytes were cut.
// Not here: connecting, TLS, connect_query, time limits, the decision when to try again (Pool).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/message_type.hpp"
#include "protocol/protocol_version.hpp"
#include "protocol/result.hpp"
#include "protocol/scram/scram_client.hpp"
#include "protocol/values.hpp"
#include "routing/client_fault.hpp"
#include "routing/credentials.hpp"
#include "routing/entries.hpp"
#include "routing/random_source.hpp"
#include "routing/start_up_parameters.hpp"

namespace pgweir {

struct ServerLoginRequest {
    std::string user;
    std::string database;
    ParameterList parameters;                 // the entry's client_encoding, datestyle, timezone, application_name
    StoredSecret secret;
    std::optional<ScramKeys> scram_keys;      // pass-through; used only with a stored SCRAM secret
    bool is_tls = false;                      // the connection's, of which the next two tell
    std::string end_point{};                  // channel binding data: the server certificate's hash; empty: it has none
    ChannelBinding channel_binding = ChannelBinding::prefer;
    ProtocolVersion protocol = protocol_newest;   // asked for; a server may name an older one
};

class ServerLogin {
public:
    enum class Step : std::uint8_t {
        read,        // on_bytes(), or on_end()
        derive,      // run derive_scram_keys(derive_job()) elsewhere, or find it in a cache; then on_derived()
        ready,       // final: parameters() and cancel_key() are set, the server is idle
        refused,     // final: the server's own error: severity(), sqlstate(), message()
        failed,      // final: reason() for the log; client_fault() for waiting clients, if they are to be told
    };

    ServerLogin(ServerLoginRequest request, RandomSource& random);   // output() holds the start-up message

    Step next() const { return step_; }
    std::string& output() { return output_; }          // to be sent before the step; the caller clears it

    void on_bytes(Bytes bytes);
    void on_end();
    void on_derived(const ScramKeys& keys);

    const ScramDerivation& derive_job() const { return derive_job_; }

    ParameterList& parameters() { return parameters_; }
    const std::string& cancel_key() const { return cancel_key_; }    // process id (4 bytes) and secret; empty: none sent
    Bytes leftover() const { return Bytes(input_).substr(consumed_); }   // behind ReadyForQuery: notices at most

    // Did the server have nothing else to say than that it does not like our protocol version? It will take 3.0.
    bool is_version_refused() const;

    const std::string& severity() const { return severity_; }
    const std::string& sqlstate() const { return sqlstate_; }
    const std::string& message() const { return message_; }
    bool is_cannot_connect_now() const { return sqlstate_ == "57P03"; }   // starting up or shutting down: clients wait

    const std::string& reason() const { return reason_; }            // also the server's message when refused
    Fault client_fault() const { return client_fault_; }

private:
    bool read_message();
    void on_message(backend::Type type, Bytes body);
    void on_negotiate(Bytes body);
    void on_authentication(Bytes body);
    void on_ok();
    void on_cleartext();
    void on_md5(Bytes salt);
    void on_sasl(const NameList& mechanisms);
    void begin_scram(ScramBinding binding);
    void on_sasl_continue(Bytes data);
    void on_sasl_final(Bytes data);
    void on_error(Bytes body);
    void on_parameter_status(Bytes body);
    void on_key(Bytes body);
    void on_ready(Bytes body);
    void send_password(std::string_view password);
    void send_proof(const ScramKeys& keys);
    void fail(std::string_view reason, Fault client_fault = Fault::none);
    bool must_bind() const { return request_.channel_binding == ChannelBinding::require; }
    void fail_on_secret(std::string_view reason) { fail(reason, Fault::server_login_wrong_password_type); }

    // How far the proof of identity has come: a server must not skip a step of its own.
    enum class Proof : std::uint8_t { none, password_sent, scram_begun, scram_sent, scram_accepted, done };

    ServerLoginRequest request_;
    RandomSource& random_;
    Step step_ = Step::read;
    std::string input_;
    std::size_t consumed_ = 0;
    std::string output_;

    std::optional<ScramClient> scram_;
    Proof proof_ = Proof::none;
    ProtocolVersion spoken_;
    bool heard_ = false;      // a message that a server sends only if the version is one it can work with
    bool ended_ = false;
    ScramDerivation derive_job_;

    ParameterList parameters_;
    std::string cancel_key_;
    std::string severity_, sqlstate_, message_, reason_;
    Fault client_fault_ = Fault::none;
};

}  // namespace pgweir
