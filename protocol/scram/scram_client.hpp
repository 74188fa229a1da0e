// The client's side of one SCRAM-SHA-256 exchange: first message out, the server's salt and iterations in, proof out, the
// server's signature in.
//
// Works from keys alone, so it serves a plain password (derive the keys in between) and keys that a client of ours has
// proved to know. Promises: a server that does not know ServerKey is found out.
// Not here: nonces and channel binding data, which the caller has.
#pragma once

#include <cstdint>
#include <string>

#include "protocol/scram/scram_keys.hpp"

namespace pgweir {

// What is said about the TLS connection that the exchange runs in.
enum class ScramBinding : std::uint8_t {
    none,           // there is none, or it is not to be used
    not_offered,    // we would, but the server has not offered -PLUS
    bound,          // the mechanism is -PLUS
};

class ScramClient {
public:
    // `nonce`: as scram_nonce() makes it. `binding_data`: tls-server-end-point, for `bound`.
    explicit ScramClient(std::string nonce, ScramBinding binding = ScramBinding::none, std::string binding_data = {});

    Bytes mechanism() const { return binding_ == ScramBinding::bound ? scram_plus_mechanism : scram_mechanism; }

    // client-first-message.
    std::string first() const;

    // Takes server-first-message apart; salt() and iterations() are known from then on.
    Result<void> take_server_first(Bytes server_first);

    const std::string& salt() const { return salt_; }
    int iterations() const { return iterations_; }

    // client-final-message with the proof of these keys.
    std::string final_message(const ScramKeys& keys);

    // Is server-final-message signed by one who has the ServerKey?
    bool accepts(Bytes server_final) const;

private:
    std::string first_bare() const;
    Bytes header() const;

    std::string nonce_;
    ScramBinding binding_;
    std::string binding_data_;
    std::string server_first_;
    std::string server_nonce_;        // the client's and the server's
    std::string salt_;
    int iterations_ = 0;
    Sha256Digest server_signature_{};
};

}  // namespace pgweir
