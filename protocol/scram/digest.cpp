#include "protocol/scram/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <new>

namespace pgweir {
namespace {

const unsigned char* data_of(Bytes bytes) { return reinterpret_cast<const unsigned char*>(bytes.data()); }

// These hashes fail for want of memory only, or in a library that leaves them out: no login can go on without them.
void must(bool done) {
    if (!done) throw std::bad_alloc();
}

}  // namespace

Sha256Digest sha256(Bytes data) {
    Sha256Digest digest;
    must(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1);
    return digest;
}

Sha256Digest hmac_sha256(Bytes key, Bytes data) {
    Sha256Digest digest;
    must(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data_of(data), data.size(), digest.data(), nullptr) !=
         nullptr);
    return digest;
}

std::string md5_hex(Bytes data) {
    constexpr Bytes hex = "0123456789abcdef";
    std::array<unsigned char, 16> digest;
    must(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, EVP_md5(), nullptr) == 1);
    std::string text;
    for (const auto byte : digest) {
        text += hex[byte >> 4];
        text += hex[byte & 15];
    }
    return text;
}

bool equal_in_constant_time(Bytes a, Bytes b) {
    // Where the lengths differ the longer text is compared with itself, so that the time does not tell which case it is.
    const bool same_size = a.size() == b.size();
    const Bytes longer = a.size() > b.size() ? a : b;
    const Bytes other = same_size ? a : longer;
    return CRYPTO_memcmp(longer.data(), other.data(), longer.size()) == 0 && same_size;
}

Sha256Digest exclusive_or(const Sha256Digest& a, const Sha256Digest& b) {
    Sha256Digest out;
    std::transform(a.begin(), a.end(), b.begin(), out.begin(),
                   [](unsigned char x, unsigned char y) { return static_cast<unsigned char>(x ^ y); });
    return out;
}

}  // namespace pgweir
