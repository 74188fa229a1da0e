#include "routing/auth_file.hpp"

#include <algorithm>
#include <utility>

namespace pgweir {
namespace {

constexpr std::string_view blanks = " \t\r\f\v";

void skip_blanks(std::string_view& line) { line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size())); }

// A text in double quotes, `""` in it standing for one. Nothing if it does not begin or end.
std::optional<std::string> take_quoted(std::string_view& line) {
    if (!line.starts_with('"')) return std::nullopt;
    line.remove_prefix(1);
    std::string text;
    for (;;) {
        const auto quote = line.find('"');
        if (quote == std::string_view::npos) return std::nullopt;
        text += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"')) return text;
        text += '"';
        line.remove_prefix(1);
    }
}

// Why the line is bad; null for a good one, which is put into `users`.
const char* read_line(std::string_view line, AuthFileUsers& users) {
    skip_blanks(line);
    if (line.empty() || line.front() == ';') return nullptr;
    if (line.find('\0') != std::string_view::npos) return "a NUL byte";

    auto name = take_quoted(line);
    if (!name) return "expected a user name in double quotes";
    if (name->empty()) return "empty user name";
    if (name->size() > user_name_bytes_max) return "user name too long";

    skip_blanks(line);
    auto password = take_quoted(line);
    if (!password) return "expected a password in double quotes";
    if (password->size() > password_bytes_max) return "password too long";

    users.insert_or_assign(std::move(*name), StoredSecret(std::move(*password)));
    return nullptr;
}

}  // namespace

AuthFile AuthFile::parse(std::string_view text) {
    AuthFile file;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = std::min(text.find('\n'), text.size());
        if (const char* reason = read_line(text.substr(0, end), file.users)) {
            file.problem = AuthFileProblem{number, reason};
            break;
        }
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return file;
}

std::string to_string(const AuthFileProblem& problem) {
    return "broken auth file (line " + std::to_string(problem.line) + "): " + problem.reason;
}

}  // namespace pgweir
