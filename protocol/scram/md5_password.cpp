#include "protocol/scram/md5_password.hpp"

#include "protocol/scram/digest.hpp"

namespace pgweir {

bool is_md5_secret(Bytes stored) {
    return stored.size() == 35 && stored.starts_with("md5") &&
           stored.substr(3).find_first_not_of("0123456789abcdefABCDEF") == Bytes::npos;
}

std::string md5_secret(Bytes password, Bytes user) {
    return "md5" + md5_hex(std::string(password).append(user));
}

std::string md5_answer(Bytes secret, Bytes salt) {
    return "md5" + md5_hex(std::string(secret.substr(3)).append(salt));
}

}  // namespace pgweir
