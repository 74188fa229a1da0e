// What must hold in the book after every call: its counts and lists against a recount from nothing, and that nobody waits for
// what is free.
//
// Exactly, of a pool that is not paused, with `uncovered` = sessions that wait beyond the servers coming to it (connecting,
// in transit, checked, reset), and one more if logins await a welcome and no server is connecting that would bring it:
//   - uncovered waiting sessions and an idle server never meet in one pool;
//   - when uncovered > 0, it is not backing off from a failed attempt, and its size allows another server, then either a
//     shared bound is full, or a server would have been opened; under a full one it is on the list of the refused, unless
//     a server of its own is being closed;
//   - under a full shared bound, if it is the only one in the way, no server of one pool stays idle while another pool's
//     uncovered sessions outnumber the servers that are being closed.
// What only time changes (reserve, retry) is left one janitor round.
#pragma once

#include <string>

#include "routing/book.hpp"

namespace pgweir::sim {

// Throws Failure. `waits_excused`: a shutdown or a pause is being put through, so sessions may wait.
void check_book(const Book& book, TimePoint now, int workers, bool waits_excused);

// The pools and shared bounds in a few lines, for a trace.
std::string describe_book(const Book& book);

}  // namespace pgweir::sim
