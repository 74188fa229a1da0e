// Protocol versions as they stand in StartupMessage and NegotiateProtocolVersion: major in the upper 16 bits, minor below.
#pragma once

#include <compare>
#include <cstdint>

namespace pgweir {

struct ProtocolVersion {
    std::int32_t code = 3 << 16;

    constexpr int major_version() const { return static_cast<std::uint16_t>(code >> 16); }
    constexpr int minor_version() const { return static_cast<std::uint16_t>(code); }

    constexpr auto operator<=>(const ProtocolVersion&) const = default;
};

inline constexpr ProtocolVersion protocol_2_0{2 << 16};
inline constexpr ProtocolVersion protocol_3_0{3 << 16};
inline constexpr ProtocolVersion protocol_3_2{3 << 16 | 2};
inline constexpr ProtocolVersion protocol_newest = protocol_3_2;    // that we speak, on both legs

}  // namespace pgweir
