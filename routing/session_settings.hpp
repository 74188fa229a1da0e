// The GUCs that follow a client from server to server: those that PostgreSQL reports and the operator asked to track
// (DateStyle, client_encoding, TimeZone, standard_conforming_strings, application_name, track_extra_parameters).
//
// A set of values is immutable and shared: a client and the server that serves it usually point to the same one, so a
// checkout compares two pointers. A change makes a new set.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace pgweir {

// The names, fixed for the life of the process.
class TrackedParameters {
public:
    static constexpr int names_max = 64;

    // The fixed five, then `extra` (names already there are left out; no more than `names_max` are kept).
    explicit TrackedParameters(const std::vector<std::string>& extra = {"IntervalStyle"});

    // The place of a name, found without regard to case; -1: not tracked.
    int find(std::string_view name) const;

    const std::vector<std::string>& names() const { return names_; }

    // Whether two values that differ in letter case alone are two values. The server's words for the fixed five are the same in
    // any; of others only the operator knows, and a quoted name in a search_path is another one.
    bool is_exact(int place) const { return place >= fixed_count; }

private:
    static constexpr int fixed_count = 5;

    std::vector<std::string> names_;
};

struct ParameterValues {
    std::vector<std::string> values;    // by place; empty where not known
    std::uint64_t known = 0;            // bit by place
    bool proven = false;                // every value was reported by a server, so a server of this pool accepts it

    bool has(int place) const { return (known >> place & 1) != 0; }
    void set(int place, std::string_view value);
};

using SharedParameters = std::shared_ptr<const ParameterValues>;

// Gives equal sets one address. One for each worker; a set that nobody has any more is forgotten.
class ParameterCatalog {
public:
    SharedParameters intern(SharedParameters values);

private:
    std::unordered_map<std::string, std::weak_ptr<const ParameterValues>> sets_;
    std::size_t purge_at_ = 64;
};

// A copy with one value changed.
SharedParameters with_parameter(const SharedParameters& values, int place, std::string_view value, bool proven);

// Whether a server that has `present` must be told something before it serves a client that wants `wanted`. Values equal
// but for letter case are equal unless they are exact; what the client never set or the server does not report is left alone.
bool needs_replay(const TrackedParameters& tracked, const ParameterValues& wanted, const ParameterValues& present);

// The statements that make it so: `SET name='value';…`.
std::string replay_statement(const TrackedParameters& tracked, const ParameterValues& wanted, const ParameterValues& present);

}  // namespace pgweir
