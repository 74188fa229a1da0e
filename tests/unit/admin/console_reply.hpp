// The bytes that a console sends, taken apart for tests.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "admin/console.hpp"

namespace pgweir::test {

struct ReplyColumn {
    std::string name;
    Oid type = 0;
    int size = 0;
    int format = 0;

    bool operator==(const ReplyColumn&) const = default;
};

using ReplyRow = std::vector<std::optional<std::string>>;

struct Reply {
    std::string types;                    // the type byte of each message: "TDDCZ"
    std::vector<ReplyColumn> columns;
    std::vector<ReplyRow> rows;
    std::string tag;
    std::string error;                    // "SQLSTATE message", severity ERROR
    std::string notice;                   // its message
    std::string detail;                   // of the notice
};

// Throws when a message is not whole.
Reply read_reply(std::string_view bytes);

// What the console says to this text, which must need nothing.
Reply ask(Console& console, std::string_view text);
// What the console shows to this text.
Reply show(std::string_view text, const Inventory& inventory);

}  // namespace pgweir::test
