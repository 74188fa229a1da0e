#include "routing/cancel_keys.hpp"

#include <cstring>

#include "protocol/cancel_secret.hpp"
#include "protocol/scram/digest.hpp"

namespace pgweir {
namespace {

constexpr std::size_t process_id_bytes = 4;

std::uint32_t process_id_of(Bytes key) {
    std::uint32_t id = 0;
    std::memcpy(&id, key.data(), sizeof id);
    return id;
}

}  // namespace

std::string CancelKeys::issue(CancelTarget target, ProtocolVersion version) {
    std::string key(process_id_bytes + cancel_secret_bytes(version), '\0');
    do {
        random_->fill(key.data(), key.size());
        key[0] = static_cast<char>(key[0] & 0x7f);    // a process id is positive
    } while (process_id_of(key) == 0 || keys_.contains(process_id_of(key)));
    keys_[process_id_of(key)] = {key.substr(process_id_bytes), target};
    return key;
}

void CancelKeys::revoke(Bytes key) {
    if (key.size() >= process_id_bytes) keys_.erase(process_id_of(key));
}

CancelTarget CancelKeys::find(Bytes key) const {
    if (key.size() < process_id_bytes) return {};
    const auto found = keys_.find(process_id_of(key));
    if (found == keys_.end() || !equal_in_constant_time(found->second.secret, key.substr(process_id_bytes))) return {};
    return found->second.target;
}

}  // namespace pgweir
