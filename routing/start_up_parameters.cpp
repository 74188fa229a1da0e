#include "routing/start_up_parameters.hpp"

#include <algorithm>
#include <optional>

#include "routing/auth_file.hpp"

namespace pgweir {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// The spelling under which the rules list a name; null if they do not.
const std::string* listed(const std::vector<std::string>& names, std::string_view name) {
    const auto found = std::find_if(names.begin(), names.end(), [&](const auto& n) { return equal_ignoring_case(n, name); });
    return found == names.end() ? nullptr : &*found;
}

bool is_own(std::string_view name) { return equal_ignoring_case(name.substr(0, 7), "pgweir."); }

// The word a boolean setting takes: a prefix of a word, if no other begins so (PostgreSQL manual, "Setting Parameters").
std::optional<bool> to_boolean(std::string_view word) {
    const auto begins = [word](std::string_view whole, std::size_t least) {
        return word.size() >= least && word.size() <= whole.size() && equal_ignoring_case(whole.substr(0, word.size()), word);
    };
    if (begins("true", 1) || begins("yes", 1) || begins("on", 2) || word == "1") return true;
    if (begins("false", 1) || begins("no", 1) || begins("off", 2) || word == "0") return false;
    return std::nullopt;
}

// One word of `options`: ended by white space, a backslash taking the next character as it is.
std::optional<std::string> take_word(std::string_view& text) {
    constexpr std::string_view spaces = " \t\n\r\f\v";
    text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
    if (text.empty()) return std::nullopt;
    std::string word;
    while (!text.empty() && spaces.find(text.front()) == std::string_view::npos) {
        if (text.front() == '\\') text.remove_prefix(1);
        if (text.empty()) break;
        word += text.front();
        text.remove_prefix(1);
    }
    return word;
}

// "-c NAME=VALUE", "-cNAME=VALUE" or "--NAME=VALUE" from the front of `text`; nothing if it is none of them.
std::optional<std::pair<std::string, std::string>> take_option(std::string first_word, std::string_view& text) {
    std::string setting;
    if (first_word == "-c") setting = take_word(text).value_or("");
    else if (first_word.starts_with("-c") || first_word.starts_with("--")) setting = first_word.substr(2);
    const auto equals = setting.find('=');
    if (equals == std::string::npos || equals == 0) return std::nullopt;
    auto name = setting.substr(0, equals);
    std::replace(name.begin(), name.end(), '-', '_');      // as the server does
    return std::pair{std::move(name), setting.substr(equals + 1)};
}

class Reader {
public:
    Reader(const StartUpRules& rules, StartUpParameters& out) : rules_(rules), out_(out) {}

    void read(const ParameterList& sent);

private:
    void refuse(Fault fault, std::string_view argument = {});
    void read_who(const ParameterList& sent);
    void read_replication(std::string_view value);
    void read_options();
    void read_setting(std::string_view name, std::string_view value);
    bool keep(std::string_view name, std::string_view value);

    const StartUpRules& rules_;
    StartUpParameters& out_;
};

void Reader::refuse(Fault fault, std::string_view argument) {
    if (out_.fault != Fault::none) return;
    out_.fault = fault;
    out_.fault_argument = argument;
}

// `options` first: PostgreSQL lets a parameter of its own win over one inside options.
void Reader::read(const ParameterList& sent) {
    for (const auto& [name, value] : sent)
        if (!name.starts_with("_pq_.")) out_.all.emplace_back(name, value);
    read_who(out_.all);
    if (out_.replication == ReplicationKind::none) read_options();
    for (const auto& [name, value] : out_.all) read_setting(name, value);

    if (out_.user.empty()) return refuse(Fault::no_user);
    if (out_.user.size() > user_name_bytes_max) return refuse(Fault::user_name_too_long);
    if (out_.database.empty()) out_.database = out_.user;
}

void Reader::read_who(const ParameterList& sent) {
    for (const auto& [name, value] : sent) {
        if (name == "user") out_.user = value;
        else if (name == "database") out_.database = value;
        else if (name == "options") out_.options = value;
        else if (name == "replication") read_replication(value);
    }
}

void Reader::read_replication(std::string_view value) {
    const auto word = to_boolean(value);
    if (value == "database") out_.replication = ReplicationKind::logical;
    else if (word) out_.replication = *word ? ReplicationKind::physical : ReplicationKind::none;
    else refuse(Fault::unsupported_start_up_parameter, "replication");
}

void Reader::read_options() {
    std::string_view text = out_.options;
    const bool unknown_are_dropped = listed(rules_.ignore_startup_parameters, "options") != nullptr;
    while (auto word = take_word(text)) {
        const auto option = take_option(std::move(*word), text);
        if (!option) return refuse(Fault::unsupported_option_form);
        if (!keep(option->first, option->second) && !unknown_are_dropped) refuse(Fault::unsupported_option, option->first);
    }
}

void Reader::read_setting(std::string_view name, std::string_view value) {
    if (name == "user" || name == "database" || name == "options" || name == "replication") return;
    if (!keep(name, value)) refuse(Fault::unsupported_start_up_parameter, name);
}

// Is it a parameter that we know what to do with?
bool Reader::keep(std::string_view name, std::string_view value) {
    if (const auto* spelling = listed(rules_.tracked_parameters, name)) set_parameter(out_.tracked, *spelling, value);
    else if (is_own(name)) set_parameter(out_.own, name, value);
    else return equal_ignoring_case(name, "application_name") || listed(rules_.ignore_startup_parameters, name) != nullptr;
    return true;
}

}  // namespace

std::string_view to_string(ReplicationKind kind) {
    switch (kind) {
        case ReplicationKind::none: return "no";
        case ReplicationKind::logical: return "database";
        case ReplicationKind::physical: return "yes";
    }
    return "no";
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
}

const std::string* find_parameter(const ParameterList& list, std::string_view name) {
    for (const auto& [known, value] : list)
        if (equal_ignoring_case(known, name)) return &value;
    return nullptr;
}

void set_parameter(ParameterList& list, std::string_view name, std::string_view value) {
    for (auto& [known, old] : list)
        if (equal_ignoring_case(known, name)) {
            old = value;
            return;
        }
    list.emplace_back(name, value);
}

StartUpParameters read_start_up_parameters(const ParameterList& sent, const StartUpRules& rules) {
    StartUpParameters parameters;
    Reader(rules, parameters).read(sent);
    return parameters;
}

}  // namespace pgweir
