// PasswordMessage (frontend): the answer to a request for a cleartext or MD5 password.
// Shares its type byte with the SASL messages: what the server asked for tells which it is.
#pragma once

#include "protocol/message.hpp"
#include "protocol/message_type.hpp"

namespace pgweir::frontend {

struct PasswordMessage {
    static constexpr auto type = Type::password;

    Bytes password;    // for MD5: "md5" and 32 hexadecimal digits

    static Result<PasswordMessage> parse(BodyReader body);
    void serialize(BodyWriter& body) const { body.string(password); }

    bool operator==(const PasswordMessage&) const = default;
};

}  // namespace pgweir::frontend
