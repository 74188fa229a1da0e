// The server's side of one SCRAM-SHA-256 exchange: read the client's first message, answer with salt and iterations, check
// the client's proof, answer with the server's signature.
//
// The keys are asked for only when the proof is there, so a client that goes no further costs no derivation.
// With channel binding data the exchange is bound to the TLS connection it runs in, if the client chooses -PLUS; a client
// that believes it was not offered is refused then, since somebody in between must have taken the offer away.
// Promises: comparisons of keys take constant time; every malformed message is `bad_sasl`.
// Not here: nonces and channel binding data, which the caller has.
#pragma once

#include <optional>
#include <string>

#include "protocol/scram/scram_secret.hpp"

namespace pgweir {

class ScramServer {
public:
    // `nonce`: as scram_nonce() makes it. `binding`: tls-server-end-point data; empty: -PLUS is not offered.
    ScramServer(std::string salt, int iterations, std::string nonce, std::string binding = {});

    bool offers_plus() const { return !binding_.empty(); }

    // client-first-message in, server-first-message out.
    Result<std::string> first(Bytes client_first, Bytes mechanism = scram_mechanism);

    // Takes client-final-message apart; the proof is kept until `finish`.
    Result<void> take_final(Bytes client_final);

    // server-final-message, or nothing when the proof is not that of the keys' owner.
    std::optional<std::string> finish(const Sha256Digest& stored_key, const Sha256Digest& server_key);

    // What the client has proved to know: enough to log in to a server that stores the same secret. Set by `finish`.
    const std::optional<ScramKeys>& proven_keys() const { return proven_keys_; }

    const std::string& salt() const { return salt_; }
    int iterations() const { return iterations_; }

private:
    bool is_header_allowed(Bytes mechanism) const;

    std::string salt_;
    int iterations_;
    std::string nonce_;               // after `first`: the client's and ours
    std::string binding_;
    std::string gs2_header_;
    std::string auth_message_;
    Sha256Digest proof_{};
    std::optional<ScramKeys> proven_keys_;
};

}  // namespace pgweir
