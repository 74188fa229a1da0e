// Where random bytes come from: the operating system in proxy/, a seed in tests and in the simulation.
#pragma once

#include <cstddef>
#include <cstdint>

namespace pgweir {

class RandomSource {
public:
    virtual ~RandomSource() = default;
    virtual void fill(void* out, std::size_t size) = 0;

    std::uint64_t next() {
        std::uint64_t value = 0;
        fill(&value, sizeof value);
        return value;
    }
};

}  // namespace pgweir
