// A client that stops in the middle of what it sends, and goes on later.
#pragma once

#include <vector>

#include "tests/sim/script.hpp"

namespace pgweir::sim {

// Cuts some of the steps in two, mostly inside a message.
void falter(SeededRandom& random, std::vector<Step>& steps);

}  // namespace pgweir::sim
