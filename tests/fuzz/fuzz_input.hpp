// Takes an input apart: choices first, bytes for what is fuzzed behind them.
#pragma once

#include <cstddef>
#include <vector>

#include "protocol/result.hpp"

namespace pgweir::test {

class FuzzInput {
public:
    explicit FuzzInput(Bytes input) : rest_(input) {}

    bool empty() const { return rest_.empty(); }
    Bytes rest() const { return rest_; }

    unsigned byte() {
        if (rest_.empty()) return 0;
        const auto value = static_cast<unsigned char>(rest_.front());
        rest_.remove_prefix(1);
        return value;
    }
    Bytes take(std::size_t size) {
        const Bytes taken = rest_.substr(0, size);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    // The rest in pieces whose sizes, 1 to 256 in turn, a few bytes of the input choose.
    std::vector<Bytes> pieces() {
        const Bytes sizes = take(1 + byte() % 4);
        std::vector<Bytes> all;
        for (std::size_t i = 0; !rest_.empty(); ++i)
            all.push_back(take(sizes.empty() ? 1 : 1 + static_cast<unsigned char>(sizes[i % sizes.size()])));
        return all;
    }

private:
    Bytes rest_;
};

// What `pieces` reads before the bytes: they come one at a time.
inline constexpr Bytes one_by_one{"\0\0", 2};

}  // namespace pgweir::test
