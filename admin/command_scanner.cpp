#include "admin/command_scanner.hpp"

#include <algorithm>

namespace pgweir {

namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

bool is_word_character(char c) {
    return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

}  // namespace

Token CommandScanner::next() {
    const auto* begin = std::find_if_not(rest_.begin(), rest_.end(), is_space);
    const bool is_behind_space = begin != rest_.begin();
    rest_ = rest_.substr(static_cast<std::size_t>(begin - rest_.begin()));
    if (rest_.empty()) return {TokenKind::end, {}, is_behind_space};

    Token token;
    const char first = rest_.front();
    if (is_word_character(first)) {
        const auto* end = std::find_if_not(rest_.begin(), rest_.end(), is_word_character);
        const auto length = static_cast<std::size_t>(end - rest_.begin());
        token = {TokenKind::word, std::string(rest_.substr(0, length))};
        rest_.remove_prefix(length);
    } else {
        rest_.remove_prefix(1);
        switch (first) {
            case '"': token = quoted('"', TokenKind::quoted_word); break;
            case '\'': token = quoted('\'', TokenKind::string); break;
            case '=': token.kind = TokenKind::equals; break;
            case ';': token.kind = TokenKind::semicolon; break;
            default: token.kind = TokenKind::bad; break;
        }
    }
    token.is_behind_space = is_behind_space;
    return token;
}

// Behind the opening quote. A doubled quote is one; a quote that never comes makes the token bad.
Token CommandScanner::quoted(char quote, TokenKind kind) {
    Token token{kind};
    while (!rest_.empty()) {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        if (c == quote) {
            if (!rest_.starts_with(quote)) return token;
            rest_.remove_prefix(1);
        }
        token.text += c;
    }
    return {TokenKind::bad};
}

}  // namespace pgweir
