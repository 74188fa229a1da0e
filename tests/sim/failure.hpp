// What a broken invariant looks like: an exception that ends the run of its seed.
#pragma once

#include <stdexcept>
#include <string>

#include <fmt/format.h>

namespace pgweir::sim {

struct Failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

template <class... Args>
void require(bool holds, fmt::format_string<Args...> text, Args&&... args) {
    if (!holds) throw Failure(fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace pgweir::sim
