// How clients prove who they are: the words of the setting auth_type.
#pragma once

#include <cstdint>

namespace pgweir {

enum class AuthType : std::uint8_t { any, trust, plain, md5, cert, hba, ldap, pam, scram_sha_256 };

}  // namespace pgweir
