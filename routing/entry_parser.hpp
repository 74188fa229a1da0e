// One line of [databases], [users] or [peers]: its value text to an entry.
//
// Promises: no message holds a password, or a text that could be one.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "routing/entries.hpp"

namespace pgweir {

struct EntryNotes {
    std::vector<std::string> errors;           // any: the entry is not to be used
    std::vector<std::string> warnings;
};

DatabaseEntry parse_database_entry(std::string_view name, std::string_view value, EntryNotes& notes);
UserEntry parse_user_entry(std::string_view name, std::string_view value, EntryNotes& notes);
PeerEntry parse_peer_entry(std::string_view id, std::string_view value, EntryNotes& notes);

// What an entry says, key by key, to compare two versions of it. A secret's text is for comparing only.
struct EntryParameter {
    std::string_view key;
    std::string text;                          // empty: not set
    bool is_secret;
};
std::vector<EntryParameter> parameters_of(const DatabaseEntry& entry);
std::vector<EntryParameter> parameters_of(const UserEntry& entry);
std::vector<EntryParameter> parameters_of(const PeerEntry& entry);

}  // namespace pgweir
