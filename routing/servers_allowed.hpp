// How many server connections may still be opened: what the process must keep descriptors for (DESIGN, "Correctness" 11).
#pragma once

#include "routing/book.hpp"

namespace pgweir {

// By the bounds in force: each pool's own, and those that its pools share by database and by user. A pool without a bound
// counts as `unbounded`.
int servers_still_allowed(const Book& book, int unbounded);

// Of `allowed` servers, no more than one for each client that there could be can ever be asked for.
constexpr int servers_to_expect(int allowed, int clients) { return allowed < clients ? allowed : clients; }

}  // namespace pgweir
