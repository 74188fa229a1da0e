#include "protocol/backend/authentication.hpp"

#include <algorithm>

namespace pgweir::backend {

namespace {

void write_code(BodyWriter& body, AuthenticationCode code) { body.int32(static_cast<std::int32_t>(code)); }

AuthenticationMd5Password read_md5_password(BodyReader& body) {
    AuthenticationMd5Password request{};
    const Bytes salt = body.bytes(AuthenticationMd5Password::salt_bytes);
    std::copy(salt.begin(), salt.end(), request.salt.begin());
    return request;
}

AuthenticationSasl read_sasl(BodyReader& body) {
    const AuthenticationSasl request{read_terminated<NameElement>(body)};
    if (request.mechanisms.empty()) body.fail(ProtocolError::bad_sasl);
    return request;
}

}  // namespace

Result<Authentication> Authentication::parse(BodyReader body) {
    const auto code = static_cast<AuthenticationCode>(body.int32());
    if (body.failed()) return ProtocolError::short_body;
    switch (code) {
        case AuthenticationCode::ok: return whole(body, Authentication{AuthenticationOk{}});
        case AuthenticationCode::cleartext_password: return whole(body, Authentication{AuthenticationCleartextPassword{}});
        case AuthenticationCode::md5_password: return whole(body, Authentication{read_md5_password(body)});
        case AuthenticationCode::sasl: return whole(body, Authentication{read_sasl(body)});
        case AuthenticationCode::sasl_continue: return whole(body, Authentication{AuthenticationSaslContinue{body.rest()}});
        case AuthenticationCode::sasl_final: return whole(body, Authentication{AuthenticationSaslFinal{body.rest()}});
        case AuthenticationCode::kerberos_v5:
        case AuthenticationCode::scm_credential:
        case AuthenticationCode::gss:
        case AuthenticationCode::gss_continue:
        case AuthenticationCode::sspi: return whole(body, Authentication{AuthenticationUnsupported{code, body.rest()}});
    }
    return ProtocolError::unknown_authentication;
}

void Authentication::serialize(BodyWriter& body) const {
    std::visit([&body](const auto& kind) { kind.serialize(body); }, request);
}

void AuthenticationOk::serialize(BodyWriter& body) const { write_code(body, AuthenticationCode::ok); }

void AuthenticationCleartextPassword::serialize(BodyWriter& body) const {
    write_code(body, AuthenticationCode::cleartext_password);
}

void AuthenticationMd5Password::serialize(BodyWriter& body) const {
    write_code(body, AuthenticationCode::md5_password);
    body.bytes({salt.data(), salt.size()});
}

void AuthenticationSasl::serialize(BodyWriter& body) const {
    write_code(body, AuthenticationCode::sasl);
    write_terminated(body, mechanisms);
}

void AuthenticationSaslContinue::serialize(BodyWriter& body) const {
    write_code(body, AuthenticationCode::sasl_continue);
    body.bytes(data);
}

void AuthenticationSaslFinal::serialize(BodyWriter& body) const {
    write_code(body, AuthenticationCode::sasl_final);
    body.bytes(data);
}

void AuthenticationUnsupported::serialize(BodyWriter& body) const {
    write_code(body, code);
    body.bytes(data);
}

}  // namespace pgweir::backend
