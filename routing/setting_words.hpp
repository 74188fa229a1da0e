// The words of each setting that is a choice, in the order of its enum.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

#include "routing/settings.hpp"

namespace pgweir {

template <class Choice>
inline constexpr int choice_words = 0;

template <>
inline constexpr auto choice_words<AuthType> = std::to_array<std::string_view>(
    {"any", "trust", "plain", "md5", "cert", "hba", "ldap", "pam", "scram-sha-256"});
template <>
inline constexpr auto choice_words<TlsMode> =
    std::to_array<std::string_view>({"disable", "allow", "prefer", "require", "verify-ca", "verify-full"});
template <>
inline constexpr auto choice_words<PoolMode> =
    std::to_array<std::string_view>({"session", "transaction", "statement"});
template <>
inline constexpr auto choice_words<LoadBalanceHosts> = std::to_array<std::string_view>({"round-robin", "disable"});
template <>
inline constexpr auto choice_words<ChannelBinding> = std::to_array<std::string_view>({"disable", "prefer", "require"});
template <>
inline constexpr auto choice_words<ClientLostQuery> = std::to_array<std::string_view>({"finish", "cancel"});
template <>
inline constexpr auto choice_words<LogFormat> = std::to_array<std::string_view>({"text", "json"});
template <>
inline constexpr auto choice_words<LeakAction> = std::to_array<std::string_view>({"off", "warn"});

// Equal but for the case of ASCII letters.
constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
    if (a.size() != b.size()) return false;
    for (std::size_t i = 0; i < a.size(); ++i)
        if (lower(a[i]) != lower(b[i])) return false;
    return true;
}

template <class Choice>
constexpr std::string_view word_of(Choice choice) {
    return choice_words<Choice>[static_cast<std::size_t>(choice)];
}

template <class Choice>
constexpr std::optional<Choice> choice_of(std::string_view text) {
    for (std::size_t i = 0; i < choice_words<Choice>.size(); ++i)
        if (equals_ignoring_case(choice_words<Choice>[i], text)) return static_cast<Choice>(i);
    return std::nullopt;
}

}  // namespace pgweir
