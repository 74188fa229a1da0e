#include "admin/console_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <vector>

#include "admin/command_scanner.hpp"
#include "routing/setting_words.hpp"

namespace pgweir {

namespace {

constexpr std::size_t command_length_max = 15;
constexpr std::size_t argument_length_max = 63;
constexpr std::size_t set_value_length_max = 255;

// The longest command with the sign at its end: SET KEY = VALUE ;
constexpr std::size_t tokens_max = 5;

enum class ArgumentRule : std::uint8_t { none, any, shutdown_mode };

struct OrderForm {
    OrderKind kind;
    ArgumentRule argument;
};

// SET is not here: it has a form of its own.
constexpr auto order_forms = std::to_array<OrderForm>({
    {OrderKind::reload, ArgumentRule::none},
    {OrderKind::pause, ArgumentRule::any},
    {OrderKind::resume, ArgumentRule::any},
    {OrderKind::suspend, ArgumentRule::none},
    {OrderKind::disable, ArgumentRule::any},
    {OrderKind::enable, ArgumentRule::any},
    {OrderKind::reconnect, ArgumentRule::any},
    {OrderKind::wait_close, ArgumentRule::any},
    {OrderKind::kill, ArgumentRule::any},
    {OrderKind::kill_client, ArgumentRule::any},
    {OrderKind::shutdown, ArgumentRule::shutdown_mode},
});

std::optional<ShutdownMode> shutdown_mode_of(std::string_view word) {
    if (word.empty()) return ShutdownMode::immediate;
    if (equals_ignoring_case(word, "wait_for_servers")) return ShutdownMode::wait_for_servers;
    if (equals_ignoring_case(word, "wait_for_clients")) return ShutdownMode::wait_for_clients;
    return std::nullopt;
}

bool is_allowed(ArgumentRule rule, std::string_view argument) {
    switch (rule) {
        case ArgumentRule::none: return argument.empty();
        case ArgumentRule::any: return true;
        case ArgumentRule::shutdown_mode: return shutdown_mode_of(argument).has_value();
    }
    return false;
}

bool is_keyword(const Token& token, std::string_view word) {
    return token.kind == TokenKind::word && equals_ignoring_case(token.text, word);
}

// All tokens but a closing semicolon; nothing when they cannot be a command.
std::optional<std::vector<Token>> tokens_of(std::string_view text) {
    std::vector<Token> tokens;
    CommandScanner scanner(text);
    for (auto token = scanner.next(); token.kind != TokenKind::end; token = scanner.next()) {
        const bool is_empty_word = token.kind == TokenKind::quoted_word && token.text.empty();
        if (token.kind == TokenKind::bad || is_empty_word || tokens.size() == tokens_max) return std::nullopt;
        tokens.push_back(std::move(token));
    }
    if (!tokens.empty() && tokens.back().kind == TokenKind::semicolon) tokens.pop_back();
    return tokens;
}

bool has_set_form(const std::vector<Token>& tokens) {
    if (tokens.size() != 4 || !is_keyword(tokens[0], "set")) return false;
    if (!tokens[1].is_word() || !tokens[1].is_behind_space) return false;
    const bool has_sign = tokens[2].kind == TokenKind::equals || (is_keyword(tokens[2], "to") && tokens[2].is_behind_space);
    return has_sign && (tokens[3].is_word() || tokens[3].kind == TokenKind::string);
}

bool has_word_form(const std::vector<Token>& tokens) {
    if (tokens.empty() || tokens.size() > 2 || !tokens[0].is_word()) return false;
    return tokens.size() == 1 || (tokens[1].is_word() && tokens[1].is_behind_space);
}

boost::system::result<Command, CommandError> set_command(std::vector<Token>& tokens) {
    if (tokens[1].text.size() > argument_length_max || tokens[3].text.size() > set_value_length_max)
        return CommandError::bad_arguments;
    return Command{.verb = OrderKind::set, .key = std::move(tokens[1].text), .value = std::move(tokens[3].text)};
}

boost::system::result<Command, CommandError> word_command(const std::string& word, const std::string& argument) {
    if (word.size() > command_length_max || argument.size() > argument_length_max) return CommandError::bad_arguments;
    if (equals_ignoring_case(word, "show") || equals_ignoring_case(word, "select")) {
        const auto kind = show_kind_of(argument);
        if (!kind) return CommandError::unknown;
        return Command{.verb = *kind};
    }
    const auto* form = std::find_if(order_forms.begin(), order_forms.end(), [&](const OrderForm& candidate) {
        return equals_ignoring_case(word, word_of(candidate.kind));
    });
    if (form == order_forms.end() || !is_allowed(form->argument, argument)) return CommandError::unknown;
    return Command{.verb = form->kind, .argument = argument};
}

// Nothing when the text is no number.
std::optional<std::uint64_t> client_id_of(std::string_view text) {
    std::uint64_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return id;
}

}  // namespace

boost::system::result<Command, CommandError> parse_command(std::string_view text) {
    auto tokens = tokens_of(text);
    if (!tokens) return CommandError::unknown;
    if (has_set_form(*tokens)) return set_command(*tokens);
    if (!has_word_form(*tokens)) return CommandError::unknown;
    return word_command(tokens->front().text, tokens->size() == 2 ? tokens->back().text : std::string());
}

std::string error_text(CommandError error, std::string_view text) {
    if (error == CommandError::bad_arguments) return "bad arguments";
    return fmt::format("invalid command '{}', use SHOW HELP;", text);
}

Order order_of(const Command& command) {
    const auto kind = std::get<OrderKind>(command.verb);
    switch (kind) {
        case OrderKind::set: return {.kind = kind, .key = command.key, .value = command.value};
        case OrderKind::kill_client: return {.kind = kind, .client_id = client_id_of(command.argument)};
        case OrderKind::shutdown: {
            const auto mode = shutdown_mode_of(command.argument).value_or(ShutdownMode::immediate);
            // The process ends at once, and the connection with it.
            return {.kind = kind, .mode = mode, .wants_answer = mode != ShutdownMode::immediate};
        }
        default: return {.kind = kind, .database = command.argument};
    }
}

bool is_ignored_by_set(std::string_view key) {
    const auto kind = show_kind_of(key);
    return (kind && is_fixed(*kind)) || equals_ignoring_case(key, "extra_float_digits");    // drivers set it first of all
}

}  // namespace pgweir
