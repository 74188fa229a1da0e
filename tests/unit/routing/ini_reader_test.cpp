#include "routing/ini_reader.hpp"

#include "tests/support/catch.hpp"
#include "tests/support/memory_files.hpp"

using namespace pgweir;

namespace {

std::vector<IniItem> read(const std::string& text) {
    MemoryFiles files;
    files.files["f"] = text;
    return read_ini("f", files);
}

IniItem pair(const std::string& key, const std::string& value, const std::string& place) {
    return {IniKind::pair, key, value, place};
}

bool is_syntax_error(const std::string& line) {
    const auto items = read(line);
    return items.size() == 1 && items[0].kind == IniKind::error &&
           items[0].key == "syntax error in configuration (f:1), stopping loading";
}

}  // namespace

TEST_CASE("sections and pairs come in order with their lines") {
    CHECK(read("[pgbouncer]\n\n  pool_mode = session  \r\n[databases] ; x\n*=host=h\n") ==
          std::vector<IniItem>{{IniKind::section, "pgbouncer", "", "f:1"},
                               pair("pool_mode", "session", "f:3"),
                               {IniKind::section, "databases", "", "f:4"},
                               pair("*", "host=h", "f:5")});
}

TEST_CASE("a comment is a whole line, never the end of one") {
    CHECK(read("; a\n  # b\nk = 3 ; five # six") == std::vector<IniItem>{pair("k", "3 ; five # six", "f:3")});
}

TEST_CASE("a key in single quotes may hold anything") {
    CHECK(read("'my db=\"1\"' = host=h") == std::vector<IniItem>{pair("my db=\"1\"", "host=h", "f:1")});
}

TEST_CASE("a value may be empty") { CHECK(read("pidfile =") == std::vector<IniItem>{pair("pidfile", "", "f:1")}); }

TEST_CASE("a line that is none of section, pair, comment and include is a syntax error") {
    const auto* line = GENERATE("word", "= 3", "[open", "\"dq\" = x", "'open = x", "'it''s' = x", "a b = x", "%foo x",
                                "%include", "%includex", "\xc3\xa9 = x");
    CAPTURE(line);
    CHECK(is_syntax_error(line));
}

TEST_CASE("a syntax error does not hide what stands behind it") {
    const auto items = read("word\nk = v\nword");
    REQUIRE(items.size() == 3);
    CHECK(items[1] == pair("k", "v", "f:2"));
    CHECK(items[2].place == "f:3");
}

TEST_CASE("an include stands where its line was, and names its own file") {
    MemoryFiles files;
    files.files["a"] = "[users]\n%include b\nz = 1\n";
    files.files["b"] = "y = 2\n";
    CHECK(read_ini("a", files) ==
          std::vector<IniItem>{{IniKind::section, "users", "", "a:1"}, pair("y", "2", "b:1"), pair("z", "1", "a:3")});
}

TEST_CASE("a missing include names the file, the reason and the line") {
    const auto items = read("%include gone");
    REQUIRE(items.size() == 1);
    CHECK(items[0].key == "could not load file \"gone\": No such file or directory (included at f:1)");
}

TEST_CASE("ten includes nest, the eleventh is refused") {
    MemoryFiles files;
    const auto name = [](int i) { return "f" + std::to_string(i); };
    for (int i = 0; i < 12; ++i) files.files[name(i)] = "%include " + name(i + 1);

    files.files[name(10)] = "k = v";
    CHECK(read_ini(name(0), files) == std::vector<IniItem>{pair("k", "v", "f10:1")});

    files.files[name(10)] = "%include f11";
    const auto items = read_ini(name(0), files);
    REQUIRE(items.size() == 1);
    CHECK(items[0].key == "include nesting level too deep (f10:1), maximum 10");
}

TEST_CASE("a file that includes itself ends") {
    MemoryFiles files;
    files.files["f"] = "%include f";
    CHECK(read_ini("f", files).size() == 1);
}
