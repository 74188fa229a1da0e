// Time as the decision core sees it: an argument, never asked for. Microseconds on a monotonic clock whose start means
// nothing; a simulation passes its own.
#pragma once

#include <chrono>
#include <cstdint>

namespace pgweir {

using Microseconds = std::chrono::duration<std::int64_t, std::micro>;

struct TimePoint {
    std::int64_t us = 0;

    auto operator<=>(const TimePoint&) const = default;
    friend TimePoint operator+(TimePoint at, Microseconds span) { return {at.us + span.count()}; }
    friend TimePoint operator-(TimePoint at, Microseconds span) { return {at.us - span.count()}; }
    friend Microseconds operator-(TimePoint a, TimePoint b) { return Microseconds{a.us - b.us}; }
};

inline constexpr TimePoint never{INT64_MAX};

}  // namespace pgweir
