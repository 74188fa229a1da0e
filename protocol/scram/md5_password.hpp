// PostgreSQL's MD5 passwords: "md5" and the digest of password then user name is stored; the answer to a challenge is
// "md5" and the digest of those 32 digits then four bytes of salt (PostgreSQL manual, "Password Authentication").
#pragma once

#include <string>

#include "protocol/result.hpp"

namespace pgweir {

inline constexpr std::size_t md5_salt_bytes = 4;

bool is_md5_secret(Bytes stored);                                // "md5" and 32 hexadecimal digits

std::string md5_secret(Bytes password, Bytes user);
std::string md5_answer(Bytes secret, Bytes salt);                // `secret` as is_md5_secret() says

}  // namespace pgweir
