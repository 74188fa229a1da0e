// A stored password and what kind it is. The same text serves to check a client and to log in to servers.
//
// Not here: where it is stored (auth_file.hpp), the exchanges (client_login.hpp, server_login.hpp).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/scram/scram_secret.hpp"

namespace pgweir {

enum class SecretKind : std::uint8_t {
    none,     // no password: the user exists, but no check of a password ever succeeds
    plain,
    md5,      // "md5" and 32 hexadecimal digits: MD5 of password then name
    scram,
};

SecretKind secret_kind(std::string_view stored);

class StoredSecret {
public:
    StoredSecret() = default;
    explicit StoredSecret(std::string stored);

    SecretKind kind() const { return kind_; }
    const std::string& text() const { return text_; }
    const std::optional<ScramSecret>& scram() const { return scram_; }   // set exactly when kind() is scram

    // Is `password` this secret's? For plain and md5; a SCRAM secret needs a derivation first, see `matches(ScramSecret)`.
    bool matches_password(std::string_view password, std::string_view user) const;

    // Does `answer` ("md5" and 32 digits) answer the challenge `salt`? For plain and md5.
    bool matches_md5_answer(std::string_view answer, std::string_view user, Bytes salt) const;

private:
    std::string md5_of_password(std::string_view user) const;

    std::string text_;
    SecretKind kind_ = SecretKind::none;
    std::optional<ScramSecret> scram_;
};

}  // namespace pgweir
