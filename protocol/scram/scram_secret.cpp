#include "protocol/scram/scram_secret.hpp"

#include <algorithm>
#include <climits>

#include "protocol/scram/base64.hpp"
#include "protocol/scram/digest.hpp"
#include "protocol/scram/scram_attributes.hpp"

namespace pgweir {
namespace {

constexpr Bytes prefix = "SCRAM-SHA-256$";

// Everything up to `end`, which is taken away with it; nothing if it does not come.
std::optional<Bytes> take_until(Bytes& text, char end) {
    const auto at = text.find(end);
    if (at == Bytes::npos) return std::nullopt;
    const Bytes field = text.substr(0, at);
    text.remove_prefix(at + 1);
    return field;
}

std::optional<Sha256Digest> decode_key(Bytes text) {
    const auto bytes = base64_decode(text);
    Sha256Digest key;
    if (!bytes || bytes->size() != key.size()) return std::nullopt;
    std::copy(bytes->begin(), bytes->end(), key.begin());
    return key;
}

}  // namespace

std::optional<ScramSecret> ScramSecret::parse(Bytes text) {
    if (!text.starts_with(prefix)) return std::nullopt;
    text.remove_prefix(prefix.size());
    const auto iterations_text = take_until(text, ':');
    const auto salt_text = take_until(text, '$');
    const auto stored_key_text = take_until(text, ':');
    if (!iterations_text || !salt_text || !stored_key_text) return std::nullopt;

    const auto iterations = scram_iteration_count(*iterations_text, INT_MAX);
    const auto salt = base64_decode(*salt_text);
    const auto stored_key = decode_key(*stored_key_text);
    const auto server_key = decode_key(text);
    if (!iterations || !salt || salt->empty() || !stored_key || !server_key) return std::nullopt;
    return ScramSecret{*iterations, *salt, *stored_key, *server_key};
}

std::string ScramSecret::format() const {
    return std::string(prefix) + std::to_string(iterations) + ':' + base64_encode(salt) + '$' +
           base64_encode(as_bytes(stored_key)) + ':' + base64_encode(as_bytes(server_key));
}

ScramSecret make_scram_secret(const ScramDerivation& derivation, const ScramKeys& keys) {
    return {derivation.iterations, derivation.salt, stored_key_of(keys.client_key), keys.server_key};
}

bool matches(const ScramSecret& secret, const ScramKeys& keys) {
    return equal_in_constant_time(as_bytes(stored_key_of(keys.client_key)), as_bytes(secret.stored_key));
}

}  // namespace pgweir
