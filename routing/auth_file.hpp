// The auth file: "name" "password", one user a line. Text in, users out.
//
// Reading stops at the first bad line, as PgBouncer's does, and the caller decides what the users before it are worth.
// Not here: reading the file (proxy/).
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "routing/credentials.hpp"

namespace pgweir {

inline constexpr std::size_t user_name_bytes_max = 127;
inline constexpr std::size_t password_bytes_max = 65530;

using AuthFileUsers = std::map<std::string, StoredSecret, std::less<>>;

struct AuthFileProblem {
    int line = 0;              // from 1
    std::string reason;
};

struct AuthFile {
    AuthFileUsers users;       // a name that comes twice: the later line counts
    std::optional<AuthFileProblem> problem;

    static AuthFile parse(std::string_view text);
};

// "broken auth file", and where and why.
std::string to_string(const AuthFileProblem& problem);

}  // namespace pgweir
