// How the host calls the book: one decision at a virtual instant, the book's consistency checked, its actions carried out.
#pragma once

#include "tests/sim/host.hpp"

namespace pgweir::sim {

template <class Decide>
void Host::decide(WorkerId caller, Decide decide_it) {
    BookActions& out = enter_book();
    decide_it(book_, out);
    leave_book(caller, out);
}

}  // namespace pgweir::sim
