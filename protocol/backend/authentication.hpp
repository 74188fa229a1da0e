// Authentication requests (backend): what the server wants before it lets a connection in, and its final "in".
//
// One type byte, told apart by a code. Each request is a message of its own for writing; `Authentication` reads any of
// them. Kinds that exist but that pgweir does not speak (GSSAPI, SSPI, Kerberos, SCM) are `AuthenticationUnsupported`:
// the login that meets one can name it. A code that PostgreSQL does not have is an error.
#pragma once

#include <array>
#include <cstdint>
#include <variant>

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"
#include "protocol/values.hpp"

namespace pgweir::backend {

enum class AuthenticationCode : std::int32_t {
    ok = 0,
    kerberos_v5 = 2,
    cleartext_password = 3,
    md5_password = 5,
    scm_credential = 6,
    gss = 7,
    gss_continue = 8,
    sspi = 9,
    sasl = 10,
    sasl_continue = 11,
    sasl_final = 12,
};

struct AuthenticationOk {
    static constexpr auto type = Type::authentication;

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationOk&) const = default;
};

struct AuthenticationCleartextPassword {
    static constexpr auto type = Type::authentication;

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationCleartextPassword&) const = default;
};

struct AuthenticationMd5Password {
    static constexpr auto type = Type::authentication;
    static constexpr std::size_t salt_bytes = 4;

    std::array<char, salt_bytes> salt;

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationMd5Password&) const = default;
};

struct AuthenticationSasl {
    static constexpr auto type = Type::authentication;

    NameList mechanisms;    // in the server's order of preference, at least one

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationSasl&) const = default;
};

struct AuthenticationSaslContinue {
    static constexpr auto type = Type::authentication;

    Bytes data;

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationSaslContinue&) const = default;
};

struct AuthenticationSaslFinal {
    static constexpr auto type = Type::authentication;

    Bytes data;

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationSaslFinal&) const = default;
};

struct AuthenticationUnsupported {
    static constexpr auto type = Type::authentication;

    AuthenticationCode code;
    Bytes data;

    void serialize(BodyWriter& body) const;

    bool operator==(const AuthenticationUnsupported&) const = default;
};

struct Authentication {
    static constexpr auto type = Type::authentication;

    std::variant<AuthenticationOk, AuthenticationCleartextPassword, AuthenticationMd5Password, AuthenticationSasl,
                 AuthenticationSaslContinue, AuthenticationSaslFinal, AuthenticationUnsupported>
        request;

    static Result<Authentication> parse(BodyReader body);
    void serialize(BodyWriter& body) const;

    bool operator==(const Authentication&) const = default;
};

}  // namespace pgweir::backend
