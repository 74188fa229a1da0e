#include "routing/credentials.hpp"

#include <utility>

#include "protocol/scram/digest.hpp"
#include "protocol/scram/md5_password.hpp"

namespace pgweir {
namespace {

// The digits may be stored in capitals; answers come in small letters.
std::string lower_case(std::string_view digits) {
    std::string text(digits);
    for (char& c : text)
        if (c >= 'A' && c <= 'F') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

SecretKind secret_kind(std::string_view stored) {
    if (stored.empty()) return SecretKind::none;
    if (is_md5_secret(stored)) return SecretKind::md5;
    return ScramSecret::parse(stored) ? SecretKind::scram : SecretKind::plain;
}

StoredSecret::StoredSecret(std::string stored) : text_(std::move(stored)), kind_(secret_kind(text_)) {
    if (kind_ == SecretKind::scram) scram_ = ScramSecret::parse(text_);
    if (kind_ == SecretKind::md5) text_ = lower_case(text_);
}

std::string StoredSecret::md5_of_password(std::string_view user) const {
    return kind_ == SecretKind::md5 ? text_ : md5_secret(text_, user);
}

bool StoredSecret::matches_password(std::string_view password, std::string_view user) const {
    switch (kind_) {
        case SecretKind::plain: return equal_in_constant_time(password, text_);
        case SecretKind::md5: return equal_in_constant_time(md5_secret(password, user), text_);
        case SecretKind::none:
        case SecretKind::scram: break;
    }
    return false;
}

bool StoredSecret::matches_md5_answer(std::string_view answer, std::string_view user, Bytes salt) const {
    if (kind_ != SecretKind::plain && kind_ != SecretKind::md5) return false;
    return equal_in_constant_time(answer, md5_answer(md5_of_password(user), salt));
}

}  // namespace pgweir
