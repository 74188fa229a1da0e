// The keys of SCRAM-SHA-256 (RFC 5802, 7677) and how a password becomes them.
//
// Deriving is slow on purpose (thousands of hash rounds): `derive_scram_keys` is a pure function, so that the caller can
// run it on another thread and keep its answer. Nothing here remembers anything.
#pragma once

#include <array>
#include <string>

#include "protocol/result.hpp"

namespace pgweir {

using Sha256Digest = std::array<unsigned char, 32>;

// Who has these can log in as the user, for as long as salt and password stay.
struct ScramKeys {
    Sha256Digest client_key{};
    Sha256Digest server_key{};

    bool operator==(const ScramKeys&) const = default;
};

// One slow computation, and the key under which its answer may be cached.
struct ScramDerivation {
    std::string password;
    std::string salt;          // raw bytes, not base64
    int iterations = 0;

    auto operator<=>(const ScramDerivation&) const = default;
};

inline constexpr int scram_default_iterations = 4096;
inline constexpr int scram_iterations_max = 10'000'000;   // more would let a peer keep a core busy for many seconds

// The password is taken as its bytes. That is what SASLprep makes of every ASCII password, and what PostgreSQL falls back
// to where a password is no valid UTF-8. Left out: mapping and normalising other characters, which changes passwords
// holding non-ASCII spaces, soft hyphens, or characters typed in a decomposed or compatibility form.
ScramKeys derive_scram_keys(const ScramDerivation& derivation);

// StoredKey: what proves a ClientKey without giving it away.
Sha256Digest stored_key_of(const Sha256Digest& client_key);

// A salt for a user whose stored secret names none: plain passwords and users that do not exist. It depends on the name
// and the process's own key only, so both kinds of user look alike and stay the same from one login to the next.
std::string scram_salt_for(Bytes user, Bytes process_key);

inline constexpr std::size_t scram_salt_bytes = 16;

inline constexpr Bytes scram_mechanism = "SCRAM-SHA-256";
inline constexpr Bytes scram_plus_mechanism = "SCRAM-SHA-256-PLUS";
// How a message begins that is bound to its TLS connection, by the server's certificate (RFC 5929).
inline constexpr Bytes scram_bound_header = "p=tls-server-end-point,,";

// A nonce as it stands in messages, made of random bytes.
std::string scram_nonce(Bytes random);
inline constexpr std::size_t scram_nonce_random_bytes = 18;

}  // namespace pgweir
