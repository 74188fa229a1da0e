#include "protocol/scram/scram_server.hpp"

#include <algorithm>
#include <utility>

#include "protocol/scram/base64.hpp"
#include "protocol/scram/digest.hpp"
#include "protocol/scram/scram_attributes.hpp"

namespace pgweir {

ScramServer::ScramServer(std::string salt, int iterations, std::string nonce, std::string binding)
    : salt_(std::move(salt)), iterations_(iterations), nonce_(std::move(nonce)), binding_(std::move(binding)) {}

// "n" is a client that does not bind to the channel, "y" one that would but was not offered it, "p" one that does.
bool ScramServer::is_header_allowed(Bytes mechanism) const {
    if (mechanism == scram_plus_mechanism) return offers_plus() && gs2_header_ == scram_bound_header;
    return mechanism == scram_mechanism && (gs2_header_ == "n,," || (gs2_header_ == "y,," && !offers_plus()));
}

// gs2-header client-first-message-bare: "n,,n=user,r=nonce". An identity between the commas ("a=") and extensions
// ("m=") are refused, as PostgreSQL does. The name is that of the start-up message: what stands here is not read.
Result<std::string> ScramServer::first(Bytes client_first, Bytes mechanism) {
    gs2_header_ = client_first.substr(0, client_first.starts_with('p') ? scram_bound_header.size() : 3);
    if (!is_header_allowed(mechanism)) return ProtocolError::bad_sasl;
    const Bytes bare = client_first.substr(gs2_header_.size());

    ScramAttributes attributes(bare);
    attributes.take('n');
    const Bytes client_nonce = attributes.take('r');
    if (attributes.failed() || !is_scram_nonce(client_nonce)) return ProtocolError::bad_sasl;

    nonce_.insert(0, client_nonce);
    auto server_first = "r=" + nonce_ + ",s=" + base64_encode(salt_) + ",i=" + std::to_string(iterations_);
    auth_message_ = std::string(bare) + ',' + server_first + ',';
    return server_first;
}

// channel-binding,nonce,proof: "c=biws,r=nonce,p=proof", the first being the header and the binding data; extensions may stand before the proof and mean nothing to us.
// The proof signs everything before ",p=".
Result<void> ScramServer::take_final(Bytes client_final) {
    const auto proof_at = client_final.rfind(",p=");
    if (proof_at == Bytes::npos) return ProtocolError::bad_sasl;
    const Bytes without_proof = client_final.substr(0, proof_at);
    const auto proof = base64_decode(client_final.substr(proof_at + 3));
    if (!proof || proof->size() != proof_.size()) return ProtocolError::bad_sasl;

    ScramAttributes attributes(without_proof);
    const Bytes binding = attributes.take('c');
    const Bytes nonce = attributes.take('r');
    const bool is_bound = gs2_header_ == scram_bound_header;
    const auto expected = base64_encode(is_bound ? gs2_header_ + binding_ : gs2_header_);
    if (attributes.failed() || !equal_in_constant_time(binding, expected)) return ProtocolError::bad_sasl;
    if (!equal_in_constant_time(nonce, nonce_)) return ProtocolError::bad_sasl;

    std::copy(proof->begin(), proof->end(), proof_.begin());
    auth_message_.append(without_proof);
    return {};
}

std::optional<std::string> ScramServer::finish(const Sha256Digest& stored_key, const Sha256Digest& server_key) {
    const auto client_key = exclusive_or(proof_, hmac_sha256(as_bytes(stored_key), auth_message_));
    if (!equal_in_constant_time(as_bytes(stored_key_of(client_key)), as_bytes(stored_key))) return std::nullopt;
    proven_keys_ = ScramKeys{client_key, server_key};
    return "v=" + base64_encode(as_bytes(hmac_sha256(as_bytes(server_key), auth_message_)));
}

}  // namespace pgweir
