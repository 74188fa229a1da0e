#include "protocol/scram/scram_client.hpp"

#include <utility>

#include "protocol/scram/base64.hpp"
#include "protocol/scram/digest.hpp"
#include "protocol/scram/scram_attributes.hpp"

namespace pgweir {

ScramClient::ScramClient(std::string nonce, ScramBinding binding, std::string binding_data)
    : nonce_(std::move(nonce)), binding_(binding), binding_data_(std::move(binding_data)) {}

Bytes ScramClient::header() const {
    switch (binding_) {
        case ScramBinding::none: return "n,,";
        case ScramBinding::not_offered: return "y,,";
        case ScramBinding::bound: return scram_bound_header;
    }
    return "n,,";
}

// The name stays empty: PostgreSQL takes that of the start-up message.
std::string ScramClient::first_bare() const { return "n=,r=" + nonce_; }

std::string ScramClient::first() const { return std::string(header()) + first_bare(); }

Result<void> ScramClient::take_server_first(Bytes server_first) {
    ScramAttributes attributes(server_first);
    const Bytes nonce = attributes.take('r');
    const Bytes salt_text = attributes.take('s');
    const Bytes iterations_text = attributes.take('i');
    if (attributes.failed()) return ProtocolError::bad_sasl;
    // A server that adds no chance of its own could replay an old exchange.
    if (!is_scram_nonce(nonce) || !nonce.starts_with(nonce_) || nonce.size() == nonce_.size()) return ProtocolError::bad_sasl;

    const auto salt = base64_decode(salt_text);
    const auto iterations = scram_iteration_count(iterations_text, scram_iterations_max);
    if (!salt || salt->empty() || !iterations) return ProtocolError::bad_sasl;
    server_first_ = server_first;
    server_nonce_ = nonce;
    salt_ = *salt;
    iterations_ = *iterations;
    return {};
}

std::string ScramClient::final_message(const ScramKeys& keys) {
    const auto bound = std::string(header()) + (binding_ == ScramBinding::bound ? binding_data_ : std::string());
    const auto without_proof = "c=" + base64_encode(bound) + ",r=" + server_nonce_;
    const auto auth_message = first_bare() + ',' + server_first_ + ',' + without_proof;
    const auto signature = hmac_sha256(as_bytes(stored_key_of(keys.client_key)), auth_message);
    server_signature_ = hmac_sha256(as_bytes(keys.server_key), auth_message);
    return without_proof + ",p=" + base64_encode(as_bytes(exclusive_or(keys.client_key, signature)));
}

bool ScramClient::accepts(Bytes server_final) const {
    ScramAttributes attributes(server_final);
    const auto signature = base64_decode(attributes.take('v'));
    return !attributes.failed() && signature && equal_in_constant_time(*signature, as_bytes(server_signature_));
}

}  // namespace pgweir
