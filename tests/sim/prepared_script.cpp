#include "tests/sim/prepared_script.hpp"

#include <fmt/format.h>

#include "tests/sim/client_messages.hpp"

namespace pgweir::sim {
namespace {

constexpr int text_commit = 0, text_rollback = 1, texts_first = 2, texts_end = 14;

std::string shared_text(int number) {
    const auto mark = fmt::format("/*@{}*/", number);
    switch (number) {
        case text_commit: return mark + "COMMIT";
        case text_rollback: return mark + "ROLLBACK";
        case 2: return mark + "ERROR";
        case 3: return mark + "BADSYNTAX";
        case 4: return mark + "NOTICE 1";
        case 5: return mark + "SLEEP 8";
        case 6: return mark + "SET DateStyle='german'";
        case 7: return mark + "ROWS 3 40 2";    // an error in its last row
        default: return mark + fmt::format("ROWS {} {} -1", number % 4, 10 * number);
    }
}

}  // namespace

std::string PreparedScript::any_name() {
    static const std::string long_name = "a name that is longer than any identifier may be" + std::string(70, 'n');
    return random_.pick<std::string>({"s1", "s1", "s2", "s2", "s3", "S_2", long_name});
}

int PreparedScript::any_text() { return static_cast<int>(random_.between(texts_first, texts_end - 1)); }

std::string PreparedScript::prepare(const std::string& name, int text) {
    if (name.empty())
        has_unnamed_ = true;
    else
        believed_[name] = text;
    return parse(name, shared_text(text));
}

std::string PreparedScript::run(const std::string& name, const NextTag& next_tag) {
    const std::string portal = random_.percent(10) ? "cursor" : "";
    std::string bytes = bind_to(portal, name, next_tag());
    if (random_.percent(30)) bytes += describe('P', portal);
    const auto executes = random_.percent(85) ? 1 : 2;
    for (int i = 0; i < executes; ++i)
        bytes += execute(portal, static_cast<int>(random_.percent(75) ? 0 : random_.between(1, 3)));
    if (!portal.empty() && random_.percent(50)) bytes += close('P', portal);
    return bytes;
}

std::string PreparedScript::use_unnamed(const NextTag& next_tag) {
    if (has_unnamed_ && traits_.reuses_unnamed && random_.percent(60)) return run("", next_tag);
    return prepare("", any_text()) + run("", next_tag);
}

std::string PreparedScript::use_name(bool in_block, const NextTag& next_tag) {
    const std::string name = any_name();
    const bool may_parse = !in_block || traits_.parses_in_blocks;
    std::string bytes;
    if (random_.percent(12)) {
        bytes += close('S', name);
        believed_.erase(name);
    }
    const bool parses = may_parse && (!believed_.contains(name) ? random_.percent(96) : random_.percent(6));
    if (parses) bytes += prepare(name, any_text());
    // In a failed block PostgreSQL describes what returns no rows; where it must be parsed again first, that fails.
    const bool only_asks = !in_block && random_.percent(15);
    if (only_asks || (!in_block && random_.percent(25))) bytes += describe('S', name);
    if (!only_asks && random_.percent(parses ? 75 : 95)) bytes += run(name, next_tag);
    return bytes;
}

std::string PreparedScript::series(bool in_block, const NextTag& next_tag) {
    const auto uses = random_.percent(65) ? 1 : random_.between(2, 5);
    std::string bytes;
    for (int i = 0; i < uses; ++i) {
        const auto chance = random_.between(0, 99);
        if (chance < 12)
            bytes += use_unnamed(next_tag);
        else if (chance < 15)
            bytes += run("nowhere", next_tag);
        else
            bytes += use_name(in_block, next_tag);
    }
    return bytes;
}

std::string PreparedScript::end_of_block(bool commits, const NextTag& next_tag) {
    const std::string name = commits ? "commit" : "rollback";
    const bool known = believed_.contains(name);
    std::string bytes;
    if (!known) bytes += prepare(name, commits ? text_commit : text_rollback);
    return bytes + bind_to("", name, next_tag()) + execute("", 0);
}

}  // namespace pgweir::sim
