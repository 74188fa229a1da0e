#include "tests/sim/sql.hpp"

#include <charconv>
#include <utility>

#include "tests/sim/failure.hpp"

namespace pgweir::sim {
namespace {

constexpr std::pair<std::string_view, Verb> words[] = {
    {"ROWS", Verb::rows},
    {"COPYIN", Verb::copy_in},
    {"COPYOUT", Verb::copy_out},
    {"NOTICE", Verb::notice},
    {"SLEEP", Verb::sleep},
    {"ERROR", Verb::error},
    {"BADSYNTAX", Verb::bad_syntax},
    {"BEGIN", Verb::begin},
    {"COMMIT", Verb::commit},
    {"ROLLBACK", Verb::rollback},
    {"SET", Verb::set},
    {"DISCARD", Verb::discard},
    {"DEALLOCATE", Verb::deallocate},
    {"SELECT", Verb::rows},
};

std::string_view take_word(std::string_view& text) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const auto end = std::min(text.find(' '), text.size());
    const auto word = text.substr(0, end);
    text.remove_prefix(end);
    return word;
}

// name='value', a quote inside doubled.
void read_setting(std::string_view text, Statement& statement) {
    const auto equals = text.find('=');
    require(equals != std::string_view::npos, "model: SET without a value: {}", text);
    statement.name = text.substr(0, equals);
    auto value = text.substr(equals + 1);
    while (!value.empty() && value.front() == ' ') value.remove_prefix(1);
    if (value.starts_with("E'")) value.remove_prefix(1);
    require(value.size() >= 2 && value.front() == '\'' && value.back() == '\'', "model: bad literal: {}", text);
    statement.value = value.substr(1, value.size() - 2);
}

Statement parse_one(std::string_view text) {
    Statement statement;
    if (text.starts_with("/*")) {
        const auto end = text.find("*/");
        statement.tag = text.substr(2, end - 2);
        text.remove_prefix(end + 2);
    }
    const auto word = take_word(text);
    bool known = word.empty();
    for (const auto& [name, verb] : words) {
        if (name != word) continue;
        statement.verb = verb;
        known = true;
    }
    require(known, "model: a query that nobody wrote: {}", word);
    if (statement.verb == Verb::set) {
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        read_setting(text, statement);
        return statement;
    }
    if (word == "SELECT") {  // pgweir's check query
        statement.numbers = {1, 1, -1};
        return statement;
    }
    for (int& number : statement.numbers) {
        const auto digits = take_word(text);
        std::from_chars(digits.data(), digits.data() + digits.size(), number);
    }
    return statement;
}

}  // namespace

std::vector<Statement> parse_sql(std::string_view sql) {
    std::vector<Statement> statements;
    while (!sql.empty()) {
        const auto end = std::min(sql.find(';'), sql.size());
        auto text = sql.substr(0, end);
        sql.remove_prefix(std::min(end + 1, sql.size()));
        while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
        if (!text.empty()) statements.push_back(parse_one(text));
    }
    return statements;
}

int client_of(const Statement& statement) {
    int client = -1;
    std::from_chars(statement.tag.data(), statement.tag.data() + statement.tag.size(), client);
    return client;
}

}  // namespace pgweir::sim
