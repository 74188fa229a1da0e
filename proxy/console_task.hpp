// The sessions of the admin console: coroutines on worker 0 around admin/'s Console.
#pragma once

#include <vector>

#include "admin/inventory.hpp"
#include "proxy/control.hpp"

namespace pgweir {

class ConsoleHost {
public:
    // Consoles that log in from now on give their orders to `control`.
    static void attach(Shared& shared, Control& control) { shared.control = &control; }
};

// The console's own clients, as SHOW CLIENTS lists them.
std::vector<ClientRow> console_rows(Control& control);

}  // namespace pgweir
