// What PostgreSQL stores in place of a password: SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>, the last three
// in base64.
#pragma once

#include <optional>
#include <string>

#include "protocol/scram/scram_keys.hpp"

namespace pgweir {

struct ScramSecret {
    int iterations = 0;
    std::string salt;          // raw bytes
    Sha256Digest stored_key{};
    Sha256Digest server_key{};

    // Nothing if the text has not exactly that form: such a stored password is a plain one.
    static std::optional<ScramSecret> parse(Bytes text);
    std::string format() const;

    bool operator==(const ScramSecret&) const = default;
};

ScramSecret make_scram_secret(const ScramDerivation& derivation, const ScramKeys& keys);

// Is this the password that the secret was made from, `keys` being derived from it with the secret's salt and iterations?
bool matches(const ScramSecret& secret, const ScramKeys& keys);

}  // namespace pgweir
