#include "proxy/shared.hpp"

namespace pgweir {

std::optional<ScramKeys> KeyCache::find(const ScramDerivation& derivation) {
    std::lock_guard lock(mutex_);
    const auto found = derived_.find(derivation);
    return found == derived_.end() ? std::nullopt : std::optional(found->second);
}

void KeyCache::remember(const ScramDerivation& derivation, const ScramKeys& keys) {
    std::lock_guard lock(mutex_);
    if (derived_.size() >= entries_max) derived_.clear();
    derived_[derivation] = keys;
}

std::optional<ScramKeys> KeyCache::proved(const std::string& user, const std::string& secret) {
    std::lock_guard lock(mutex_);
    const auto found = proved_.find({user, secret});
    return found == proved_.end() ? std::nullopt : std::optional(found->second);
}

void KeyCache::remember_proved(const std::string& user, const std::string& secret, const ScramKeys& keys) {
    std::lock_guard lock(mutex_);
    if (proved_.size() >= entries_max) proved_.clear();
    proved_[{user, secret}] = keys;
}

}  // namespace pgweir
