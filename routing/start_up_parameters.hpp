// What the parameters of a client's start-up message come to (CONTRACT of PgBouncer, "Start-up parameters"): who, where,
// and the tracked values, those inside `options` included.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "routing/client_fault.hpp"

namespace pgweir {

using ParameterList = std::vector<std::pair<std::string, std::string>>;   // name and value, in order

enum class ReplicationKind : std::uint8_t { none, logical, physical };

// As the log has it: "no", "database", "yes".
std::string_view to_string(ReplicationKind kind);

struct StartUpRules {
    std::vector<std::string> tracked_parameters = {"DateStyle", "client_encoding", "TimeZone",
                                                   "standard_conforming_strings", "application_name"};
    std::vector<std::string> ignore_startup_parameters;
};

struct StartUpParameters {
    std::string user;
    std::string database;             // the user's name where none was given
    ReplicationKind replication = ReplicationKind::none;
    ParameterList tracked;            // by the spelling of the rules; each name once, the value that counts
    ParameterList own;                // "pgweir.*", for this session's routing
    std::string options;              // as sent: a replication connection passes it on unchanged
    ParameterList all;                // as sent, "_pq_." ones left out

    Fault fault = Fault::none;        // the first thing wrong, with its argument
    std::string fault_argument;
};

StartUpParameters read_start_up_parameters(const ParameterList& sent, const StartUpRules& rules);

bool equal_ignoring_case(std::string_view a, std::string_view b);

// The value of `name`, whatever its letter case; null if there is none.
const std::string* find_parameter(const ParameterList& list, std::string_view name);
void set_parameter(ParameterList& list, std::string_view name, std::string_view value);

}  // namespace pgweir
