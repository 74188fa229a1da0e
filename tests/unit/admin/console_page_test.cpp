// docs/console.md: its tables are the program's own.

#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <vector>

#include "admin/console_command.hpp"
#include "admin/show_table.hpp"
#include "tests/support/catch.hpp"

namespace pgweir::test {

namespace {

std::vector<std::string> lines_of_page() {
    std::ifstream file{PGWEIR_SOURCE_DIR "/docs/console.md"};
    REQUIRE(file);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
}

// "| a | b | c |" to a, b, c.
std::vector<std::string> cells_of(const std::string& line) {
    std::vector<std::string> cells;
    for (std::size_t begin = 2; begin < line.size();) {
        const auto end = line.find(" |", begin);
        if (end == std::string::npos) break;
        cells.push_back(line.substr(begin, end - begin));
        begin = end + 3;
    }
    return cells;
}

// The page's columns of each SHOW, "name type", by its word in capitals.
std::map<std::string, std::vector<std::string>> columns_on_page() {
    std::map<std::string, std::vector<std::string>> found;
    std::vector<std::string> words;
    for (const auto& line : lines_of_page()) {
        if (line.starts_with("### ")) {
            words.clear();
            for (auto at = line.find("SHOW "); at != std::string::npos; at = line.find("SHOW ", at + 1))
                words.push_back(line.substr(at + 5, line.find(',', at) - at - 5));
            for (const auto& word : words) found[word];
        }
        const auto cells = cells_of(line);
        if (cells.size() != 3 || !line.starts_with("| ") || cells[0] == "column" || cells[0] == "---") continue;
        for (const auto& word : words) found[word].push_back(cells[0] + " " + cells[1]);
    }
    return found;
}

std::string_view name_of(ColumnType type) {
    switch (type) {
        case ColumnType::bytea: return "bytea";
        case ColumnType::int8: return "int8";
        case ColumnType::int4: return "int4";
        case ColumnType::text: return "text";
        case ColumnType::numeric: return "numeric";
    }
    return "";
}

std::string in_capitals(std::string_view word) {
    std::string text(word);
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

}  // namespace

TEST_CASE("docs/console.md has the columns of each SHOW, in their order and with their types") {
    auto page = columns_on_page();
    for (int i = 0; i < static_cast<int>(ShowKind::count_); ++i) {
        const auto kind = static_cast<ShowKind>(i);
        if (kind == ShowKind::help || is_fixed(kind)) continue;
        const auto& row = show_table_row(kind);
        std::vector<std::string> columns;
        for (const auto& column : row.columns) columns.push_back(std::string(column.name) + " " + std::string(name_of(column.type)));
        INFO("SHOW " << in_capitals(row.word));
        CHECK(page[in_capitals(row.word)] == columns);
        page.erase(in_capitals(row.word));
    }
    CHECK(page.empty());
}

TEST_CASE("docs/console.md has each command that gives an order") {
    const auto lines = lines_of_page();
    for (int i = 0; i <= static_cast<int>(OrderKind::shutdown); ++i) {
        const std::string begin = "| `" + std::string(word_of(static_cast<OrderKind>(i)));
        INFO(begin);
        CHECK(std::any_of(lines.begin(), lines.end(), [&](const std::string& line) {
            return line.starts_with(begin + " ") || line.starts_with(begin + "`");
        }));
    }
}

}  // namespace pgweir::test
