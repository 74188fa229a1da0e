// Random bytes from the operating system. Safe from any thread.
#pragma once

#include "routing/random_source.hpp"

namespace pgweir {

class SystemRandom : public RandomSource {
public:
    void fill(void* out, std::size_t size) override;    // throws std::system_error
};

}  // namespace pgweir
