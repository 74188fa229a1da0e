#include "routing/session_settings.hpp"

#include <algorithm>
#include <optional>

#include "routing/start_up_parameters.hpp"

namespace pgweir {
namespace {

bool differs(const TrackedParameters& tracked, const ParameterValues& wanted, const ParameterValues& present, int place) {
    if (!wanted.has(place) || !present.has(place)) return false;
    const auto i = static_cast<std::size_t>(place);
    return tracked.is_exact(place) ? wanted.values[i] != present.values[i]
                                   : !equal_ignoring_case(wanted.values[i], present.values[i]);
}

// As an SQL literal that means the same with standard_conforming_strings on and off.
void append_literal(std::string& out, std::string_view value) {
    const bool escaped = value.find('\\') != std::string_view::npos;
    if (escaped) out += " E";
    out += '\'';
    for (const char c : value) {
        if (c == '\'' || (escaped && c == '\\')) out += c;
        out += c;
    }
    out += '\'';
}

std::string_view without_blanks(std::string_view text) {
    constexpr std::string_view blanks = " \t\n\r\f\v";
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    return text;
}

// The first name of a list of identifiers; nothing if none stands there. Small letters unless it is quoted, as in SQL.
std::optional<std::string> take_name(std::string_view& list) {
    std::string name;
    const bool is_quoted = list.starts_with('"');
    if (is_quoted) list.remove_prefix(1);
    for (; !list.empty(); list.remove_prefix(1)) {
        const char c = list.front();
        if (!is_quoted && (c == ',' || c == '"' || without_blanks(list.substr(0, 1)).empty())) break;
        if (is_quoted && c == '"') {
            list.remove_prefix(1);
            if (!list.starts_with('"')) return name;
        }
        name += is_quoted || c < 'A' || c > 'Z' ? c : static_cast<char>(c - 'A' + 'a');
    }
    if (is_quoted || name.empty()) return std::nullopt;
    return name;
}

std::optional<std::vector<std::string>> split_names(std::string_view list) {
    std::vector<std::string> names;
    for (;;) {
        list = without_blanks(list);
        auto name = take_name(list);
        if (!name) return std::nullopt;
        names.push_back(std::move(*name));
        list = without_blanks(list);
        if (list.empty()) return names;
        if (!list.starts_with(',')) return std::nullopt;
        list.remove_prefix(1);
    }
}

// A literal for each name: as one literal the list would be one name, and as it was reported an empty name is an error.
void append_names(std::string& out, std::string_view list) {
    const auto names = split_names(list);
    if (!names) return append_literal(out, list);
    for (std::size_t i = 0; i < names->size(); ++i) {
        if (i > 0) out += ',';
        append_literal(out, (*names)[i]);
    }
}

}  // namespace

TrackedParameters::TrackedParameters(const std::vector<std::string>& extra)
    : names_{"client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings", "application_name"} {
    for (const auto& name : extra)
        if (find(name) < 0 && names_.size() < names_max) names_.push_back(name);
}

int TrackedParameters::find(std::string_view name) const {
    for (std::size_t i = 0; i < names_.size(); ++i)
        if (equal_ignoring_case(names_[i], name)) return static_cast<int>(i);
    return -1;
}

void ParameterValues::set(int place, std::string_view value) {
    const auto i = static_cast<std::size_t>(place);
    if (values.size() <= i) values.resize(i + 1);
    values[i] = value;
    known |= std::uint64_t{1} << place;
}

SharedParameters ParameterCatalog::intern(SharedParameters values) {
    std::string key(1, values->proven ? 'p' : 'u');
    for (std::size_t i = 0; i < values->values.size(); ++i) {
        key += values->has(static_cast<int>(i)) ? 'k' : 'n';
        key += values->values[i];
        key += '\0';    // no value holds one: it came as a C string
    }
    if (sets_.size() >= purge_at_) {
        std::erase_if(sets_, [](const auto& set) { return set.second.expired(); });
        purge_at_ = std::max<std::size_t>(64, sets_.size() * 2);
    }
    auto& known = sets_[key];
    if (auto same = known.lock()) return same;
    known = values;
    return values;
}

SharedParameters with_parameter(const SharedParameters& values, int place, std::string_view value, bool proven) {
    auto changed = values ? std::make_shared<ParameterValues>(*values) : std::make_shared<ParameterValues>();
    changed->set(place, value);
    changed->proven = proven;
    return changed;
}

bool needs_replay(const TrackedParameters& tracked, const ParameterValues& wanted, const ParameterValues& present) {
    if (&wanted == &present) return false;
    const int count = static_cast<int>(std::min(wanted.values.size(), present.values.size()));
    for (int place = 0; place < count; ++place)
        if (differs(tracked, wanted, present, place)) return true;
    return false;
}

std::string replay_statement(const TrackedParameters& tracked, const ParameterValues& wanted, const ParameterValues& present) {
    std::string sql;
    const int count = static_cast<int>(std::min(wanted.values.size(), present.values.size()));
    for (int place = 0; place < count; ++place) {
        if (!differs(tracked, wanted, present, place)) continue;
        const auto i = static_cast<std::size_t>(place);
        sql += "SET " + tracked.names()[i] + "=";
        if (equal_ignoring_case(tracked.names()[i], "search_path"))
            append_names(sql, wanted.values[i]);
        else
            append_literal(sql, wanted.values[i]);
        sql += ';';
    }
    return sql;
}

}  // namespace pgweir
