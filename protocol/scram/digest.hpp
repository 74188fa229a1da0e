// The hashes that passwords go through, and comparison that does not tell where two secrets differ.
#pragma once

#include <string>

#include "protocol/result.hpp"
#include "protocol/scram/scram_keys.hpp"

namespace pgweir {

Sha256Digest sha256(Bytes data);
Sha256Digest hmac_sha256(Bytes key, Bytes data);

// 32 lower-case hexadecimal digits.
std::string md5_hex(Bytes data);

// Takes the time of the longer text, wherever they differ.
bool equal_in_constant_time(Bytes a, Bytes b);

inline Bytes as_bytes(const Sha256Digest& digest) { return {reinterpret_cast<const char*>(digest.data()), digest.size()}; }

Sha256Digest exclusive_or(const Sha256Digest& a, const Sha256Digest& b);

}  // namespace pgweir
