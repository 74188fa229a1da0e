// What a client does: what it sends, when it waits, and how it ends. Made from the seed.
//
// A script leaves nothing behind that another client could meet: but for prepared statements with a name, where pgweir keeps
// these apart, every series in transaction mode begins with its own Parse.
#pragma once

#include <string>
#include <vector>

#include "protocol/result.hpp"
#include "routing/time.hpp"
#include "tests/sim/seeded_random.hpp"

namespace pgweir::sim {

enum class Wait {
    none,     // right behind what was sent before
    heard,    // something has come since the last send: a COPY's response, or its error
    settled,  // all that was sent has been answered
};

struct Step {
    std::string bytes;
    Wait wait = Wait::none;
    Microseconds pause{};    // before it is sent, when the wait is over
    bool continues = false;  // the rest of what the step before it has begun
};

struct Script {
    std::vector<Step> steps;
    bool ends_in_order = true;       // waits for everything before it says Terminate
    bool vanishes = false;           // after `vanishes_after` bytes, without Terminate …
    bool vanishes_by_reset = false;  // … and what was under way is lost
    std::size_t vanishes_after = 0;
    bool reads_slowly = false;
    bool names_statement = false;  // pgweir refuses this where it does not track them
    bool opens_block = false;
};

struct ScriptTraits {
    int client = 0;
    bool keeps_session = false;  // what it leaves on its server is still there for its next request
    bool keeps_names = false;    // … or its prepared statements are, wherever they are run
    bool discards = false;       // DISCARD ALL leaves it with the settings that it began with
    bool avoids_blocks = false;  // statement mode
    bool vanishes = false;
};

Script make_script(SeededRandom& random, const ScriptTraits& traits);

}  // namespace pgweir::sim
