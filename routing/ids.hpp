// Typed ids: an index into a table and the generation of what stands there. An id outlives what it names: a stale one
// is recognised by its generation, so a late event never reaches the wrong connection.
#pragma once

#include <compare>
#include <cstdint>

namespace pgweir {

template <class Tag>
struct Id {
    static constexpr std::uint32_t no_index = 0xffffffff;

    std::uint32_t index = no_index;
    std::uint32_t generation = 0;

    explicit operator bool() const { return index != no_index; }
    auto operator<=>(const Id&) const = default;
};

using SessionId = Id<struct SessionTag>;   // a logged-in client
using ServerId = Id<struct ServerTag>;     // a server connection, from the decision to open it until its socket is closed
using PoolId = Id<struct PoolTag>;

using WorkerId = std::uint8_t;
inline constexpr WorkerId no_worker = 0xff;
inline constexpr int workers_max = 64;

}  // namespace pgweir
