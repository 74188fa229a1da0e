// The console's language: one command a query, read into a Command.
//
//     WORD [WORD] [;]        SET KEY = VALUE [;]        SET KEY TO VALUE [;]
//
// A word is of letters, digits and underscores, or in double quotes ("" is a quote); VALUE is a word or in single quotes
// ('' is a quote). Commands are taken in any case, arguments as they are.
// Not here: who may do what, and whether the argument names something (console.hpp).
#pragma once

#include <boost/system/result.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "admin/order.hpp"
#include "admin/show_kind.hpp"

namespace pgweir {

struct Command {
    std::variant<ShowKind, OrderKind> verb;
    std::string argument = {};     // the second word of an order; empty: none
    std::string key = {};          // of SET
    std::string value = {};

    bool operator==(const Command&) const = default;
};

enum class CommandError : std::uint8_t {
    unknown,         // no command of ours, or not in a form that it has
    bad_arguments,   // a word is too long
};

boost::system::result<Command, CommandError> parse_command(std::string_view text);

// What the operator reads: `invalid command 'TEXT', use SHOW HELP;`, `bad arguments`.
std::string error_text(CommandError error, std::string_view text);

// The order that a command other than SHOW gives.
Order order_of(const Command& command);

// Whether SET leaves this key as it is and says so: values that drivers set at their start.
bool is_ignored_by_set(std::string_view key);

}  // namespace pgweir
