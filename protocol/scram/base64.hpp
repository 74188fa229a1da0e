// Base64 (RFC 4648, section 4): the standard alphabet, padded.
#pragma once

#include <optional>
#include <string>

#include "protocol/result.hpp"

namespace pgweir {

std::string base64_encode(Bytes bytes);

// Strict: no white space, padding present, the bits that padding leaves over are zero. So each value has one spelling.
std::optional<std::string> base64_decode(Bytes text);

}  // namespace pgweir
