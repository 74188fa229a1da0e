#include "protocol/scram/scram_keys.hpp"

#include <openssl/evp.h>

#include <cassert>
#include <new>

#include "protocol/scram/base64.hpp"
#include "protocol/scram/digest.hpp"

namespace pgweir {

ScramKeys derive_scram_keys(const ScramDerivation& derivation) {
    assert(derivation.iterations > 0);
    Sha256Digest salted_password;
    const int done = PKCS5_PBKDF2_HMAC(derivation.password.data(), static_cast<int>(derivation.password.size()),
                                       reinterpret_cast<const unsigned char*>(derivation.salt.data()),
                                       static_cast<int>(derivation.salt.size()), derivation.iterations, EVP_sha256(),
                                       static_cast<int>(salted_password.size()), salted_password.data());
    if (done != 1) throw std::bad_alloc();
    return {hmac_sha256(as_bytes(salted_password), "Client Key"), hmac_sha256(as_bytes(salted_password), "Server Key")};
}

Sha256Digest stored_key_of(const Sha256Digest& client_key) { return sha256(as_bytes(client_key)); }

std::string scram_salt_for(Bytes user, Bytes process_key) {
    return std::string(as_bytes(hmac_sha256(process_key, user)).substr(0, scram_salt_bytes));
}

std::string scram_nonce(Bytes random) { return base64_encode(random); }

}  // namespace pgweir
