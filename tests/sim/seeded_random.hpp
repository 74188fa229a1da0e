// All chance of a simulated run, from one seed: the same seed gives the same run on every machine.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>

#include "routing/random_source.hpp"
#include "routing/time.hpp"

namespace pgweir::sim {

// SplitMix64: small, well mixed, and nothing of it is left to the standard library.
class SeededRandom : public RandomSource {
public:
    // Mixed first: neighbouring seeds must not draw from neighbouring places of one sequence.
    explicit SeededRandom(std::uint64_t seed) : state_(mixed(mixed(seed) + 0x2545f4914f6cdd1du)) {}

    void fill(void* out, std::size_t size) override {
        auto* at = static_cast<char*>(out);
        for (std::size_t done = 0; done < size; done += 8) {
            const std::uint64_t bits = draw();
            std::memcpy(at + done, &bits, size - done < 8 ? size - done : 8);
        }
    }

    // Both ends included.
    std::int64_t between(std::int64_t low, std::int64_t high) {
        return low + static_cast<std::int64_t>(draw() % static_cast<std::uint64_t>(high - low + 1));
    }
    std::size_t below(std::size_t end) { return static_cast<std::size_t>(draw() % end); }
    bool percent(int chance) { return between(0, 99) < chance; }

    // Mostly short, now and then up to `most`.
    Microseconds span(Microseconds most) { return Microseconds{between(0, most.count() >> between(0, 7))}; }

    template <class T>
    T pick(std::initializer_list<T> choices) {
        return *(choices.begin() + below(choices.size()));
    }

private:
    std::uint64_t draw() { return mixed(state_ += 0x9e3779b97f4a7c15u); }

    static std::uint64_t mixed(std::uint64_t z) {
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }

    std::uint64_t state_;
};

}  // namespace pgweir::sim
