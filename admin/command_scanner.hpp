// Splits the text of a console command into words, strings and signs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace pgweir {

enum class TokenKind : std::uint8_t { word, quoted_word, string, equals, semicolon, end, bad };

struct Token {
    TokenKind kind = TokenKind::end;
    std::string text = {};              // without quotes
    bool is_behind_space = false;

    bool is_word() const { return kind == TokenKind::word || kind == TokenKind::quoted_word; }
};

class CommandScanner {
public:
    explicit CommandScanner(std::string_view text) : rest_(text) {}

    Token next();

private:
    Token quoted(char quote, TokenKind kind);

    std::string_view rest_;
};

}  // namespace pgweir
