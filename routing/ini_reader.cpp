#include "routing/ini_reader.hpp"

#include <fmt/format.h>

#include <string_view>

namespace pgweir {

namespace {

constexpr std::string_view blanks = " \t\r\v\f";

std::string_view trimmed(std::string_view text) {
    const auto start = text.find_first_not_of(blanks);
    if (start == text.npos) return {};
    return text.substr(start, text.find_last_not_of(blanks) - start + 1);
}

bool is_key_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
           c == '-' || c == '*';
}

class IniReader {
public:
    explicit IniReader(FileReader& files) : files_(files) {}

    void read(const std::string& path, const std::string& included_at, int depth) {
        const auto file = files_.read(path);
        if (!file.error.empty()) {
            const auto where = included_at.empty() ? "" : fmt::format(" (included at {})", included_at);
            return error(fmt::format("could not load file \"{}\": {}{}", path, file.error, where), path);
        }
        int number = 0;
        for (std::string_view rest = file.text; !rest.empty();) {
            const auto line = rest.substr(0, rest.find('\n'));
            rest.remove_prefix(std::min(rest.size(), line.size() + 1));
            read_line(trimmed(line), fmt::format("{}:{}", path, ++number), depth);
        }
    }

    std::vector<IniItem> take() { return std::move(items_); }

private:
    void read_line(std::string_view line, std::string place, int depth) {
        if (line.empty() || line.front() == ';' || line.front() == '#') return;
        if (line.find('\0') != line.npos) return syntax_error(std::move(place));
        switch (line.front()) {
            case '%': return read_include(line.substr(1), std::move(place), depth);
            case '[': return read_section(line.substr(1), std::move(place));
            default: return read_pair(line, std::move(place));
        }
    }

    // What stands behind the bracket is passed over, as PgBouncer does.
    void read_section(std::string_view text, std::string place) {
        const auto end = text.find(']');
        if (end == text.npos) return syntax_error(std::move(place));
        items_.push_back({IniKind::section, std::string{text.substr(0, end)}, {}, std::move(place)});
    }

    void read_include(std::string_view text, std::string place, int depth) {
        constexpr std::string_view word = "include";
        const auto path = trimmed(text.substr(std::min(text.size(), word.size())));
        if (!text.starts_with(word) || path.empty() || blanks.find(text[word.size()]) == blanks.npos)
            return syntax_error(std::move(place));
        if (depth == include_depth_max)
            return error(fmt::format("include nesting level too deep ({}), maximum {}", place, include_depth_max),
                         place);
        read(std::string{path}, place, depth + 1);
    }

    void read_pair(std::string_view text, std::string place) {
        const bool quoted = text.front() == '\'';
        if (quoted) text.remove_prefix(1);
        std::size_t length = 0;
        while (length < text.size() && (quoted ? text[length] != '\'' : is_key_char(text[length]))) ++length;

        const auto key = text.substr(0, length);
        text.remove_prefix(length);
        if (quoted) {
            if (text.empty()) return syntax_error(std::move(place));
            text.remove_prefix(1);
        }
        text = trimmed(text);
        if (key.empty() || !text.starts_with('=')) return syntax_error(std::move(place));
        items_.push_back({IniKind::pair, std::string{key}, std::string{trimmed(text.substr(1))}, std::move(place)});
    }

    void syntax_error(std::string place) {
        error(fmt::format("syntax error in configuration ({}), stopping loading", place), place);
    }

    void error(std::string text, std::string place) {
        items_.push_back({IniKind::error, std::move(text), {}, std::move(place)});
    }

    FileReader& files_;
    std::vector<IniItem> items_;
};

}  // namespace

std::vector<IniItem> read_ini(const std::string& path, FileReader& files) {
    IniReader reader{files};
    reader.read(path, {}, 0);
    return reader.take();
}

}  // namespace pgweir
