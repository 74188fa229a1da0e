#include "routing/connection_string.hpp"

namespace pgweir {

namespace {

constexpr std::string_view blanks = " \t\r\n\v\f";

void skip_blanks(std::string_view& text) {
    const auto start = text.find_first_not_of(blanks);
    text.remove_prefix(start == text.npos ? text.size() : start);
}

std::string take_key(std::string_view& text) {
    const auto length = std::min(text.find_first_of(" \t\r\n\v\f="), text.size());
    std::string key{text.substr(0, length)};
    text.remove_prefix(length);
    return key;
}

std::string take_bare_value(std::string_view& text) {
    const auto length = std::min(text.find_first_of(blanks), text.size());
    std::string value{text.substr(0, length)};
    text.remove_prefix(length);
    return value;
}

// `text` stands behind the opening quote.
std::optional<std::string> take_quoted_value(std::string_view& text) {
    std::string value;
    for (;;) {
        const auto quote = text.find('\'');
        if (quote == text.npos) return std::nullopt;
        value += text.substr(0, quote);
        text.remove_prefix(quote + 1);
        if (!text.starts_with('\'')) return value;
        value += '\'';
        text.remove_prefix(1);
    }
}

std::optional<std::string> take_value(std::string_view& text) {
    if (!text.starts_with('\'')) return take_bare_value(text);
    text.remove_prefix(1);
    return take_quoted_value(text);
}

}  // namespace

std::optional<std::vector<ConnectionParameter>> parse_connection_string(std::string_view text) {
    std::vector<ConnectionParameter> parameters;
    for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
        auto key = take_key(text);
        skip_blanks(text);
        if (key.empty() || !text.starts_with('=')) return std::nullopt;
        text.remove_prefix(1);
        skip_blanks(text);
        auto value = take_value(text);
        if (!value || value->empty()) return std::nullopt;
        parameters.push_back({std::move(key), *std::move(value)});
    }
    return parameters;
}

}  // namespace pgweir
