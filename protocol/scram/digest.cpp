#include "protocol/scram/digest.hpp"

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include <algorithm>
#include <new>

namespace pgweir {
namespace {

// These hashes fail for want of memory only, or in a library that leaves them out: no login can go on without them.
void must(bool done) {
    if (!done) throw std::bad_alloc();
}

// Looked up once, for as long as the process lives.
const EVP_MD* fetched_sha256() {
    static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
    must(found != nullptr);
    return found;
}

}  // namespace

Sha256Digest sha256(Bytes data) {
    Sha256Digest digest;
    must(EVP_Digest(data.data(), data.size(), digest.data(), nullptr, fetched_sha256(), nullptr) == 1);
    return digest;
}

// RFC 2104. OpenSSL's own looks its parts up at each call, which takes five times as long as the hashing.
Sha256Digest hmac_sha256(Bytes key, Bytes data) {
    constexpr std::size_t block = 64;
    const Sha256Digest short_key = key.size() > block ? sha256(key) : Sha256Digest{};
    if (key.size() > block) key = as_bytes(short_key);
    std::string inner(block, '\x36');
    std::string outer(block, '\x5c');
    inner.reserve(block + data.size());    // no copy is left behind
    outer.reserve(block + sizeof(Sha256Digest));
    for (std::size_t i = 0; i < key.size(); ++i) {
        inner[i] = static_cast<char>(inner[i] ^ key[i]);
        outer[i] = static_cast<char>(outer[i] ^ key[i]);
    }
    inner.append(data);
    const Sha256Digest digest = sha256(inner);
    outer.append(as_bytes(digest));
    const Sha256Digest mac = sha256(outer);
    OPENSSL_cleanse(inner.data(), inner.size());
    OPENSSL_cleanse(outer.data(), outer.size());
    return mac;
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
