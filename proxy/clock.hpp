// The one clock of the process: what the core gets as `now`.
#pragma once

#include <time.h>

#include "routing/time.hpp"

namespace pgweir {

inline TimePoint now() {
    timespec at{};
    ::clock_gettime(CLOCK_MONOTONIC, &at);
    return {std::int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1000};
}

}  // namespace pgweir
