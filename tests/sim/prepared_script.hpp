// Prepared statements as drivers use them, and as they should not: names kept from one request to the next, the same name for
// different texts and the same text under several names, names parsed twice, closed, unknown or never used.
//
// The texts are shared by all clients of a run; each has a mark of its own, which every row of it carries. So a reply shows a
// name that was paired with somebody else's text.
#pragma once

#include <functional>
#include <map>
#include <string>

#include "tests/sim/seeded_random.hpp"

namespace pgweir::sim {

// What pgweir does for prepared statements where a session does not keep its server. Each is switched on with the core.
inline constexpr bool tracks_named_statements = true;
inline constexpr bool keeps_unnamed_statement = true;  // from one transaction to the next
inline constexpr bool refuses_parse_in_failed_block = true;  // of a text that its server has already, as PostgreSQL does

struct PreparedTraits {
    bool reuses_unnamed = false;
    bool parses_in_blocks = false;
};

class PreparedScript {
public:
    using NextTag = std::function<std::string()>;

    PreparedScript(SeededRandom& random, PreparedTraits traits) : random_(random), traits_(traits) {}

    // Messages up to, and without, their Sync.
    std::string series(bool in_block, const NextTag& next_tag);
    // COMMIT or ROLLBACK under a name.
    std::string end_of_block(bool commits, const NextTag& next_tag);
    // DEALLOCATE ALL or DISCARD ALL has been sent.
    void forget() { believed_.clear(); }
    // The unnamed statement is somebody else's now.
    void forget_unnamed() { has_unnamed_ = false; }
    // … and it may come back, since what should replace it can fail: a COPY, say, which must not be run by chance.
    void spoil_unnamed() { traits_.reuses_unnamed = false; }

private:
    std::string use_unnamed(const NextTag& next_tag);
    std::string use_name(bool in_block, const NextTag& next_tag);
    std::string prepare(const std::string& name, int text);
    std::string run(const std::string& name, const NextTag& next_tag);
    std::string any_name();
    int any_text();

    SeededRandom& random_;
    PreparedTraits traits_;
    std::map<std::string, int> believed_;   // name to text, as if nothing had failed
    bool has_unnamed_ = false;
};

}  // namespace pgweir::sim
