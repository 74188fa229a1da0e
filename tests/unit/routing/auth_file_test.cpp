#include "routing/auth_file.hpp"

#include "tests/support/catch.hpp"

namespace pgweir::test {
namespace {

std::string stored(const AuthFile& file, std::string_view name) {
    const auto found = file.users.find(name);
    return found == file.users.end() ? "(unknown)" : found->second.text();
}

// The line at which reading stopped; 0 if it did not.
int bad_line(std::string_view text) {
    const auto file = AuthFile::parse(text);
    return file.problem ? file.problem->line : 0;
}

std::string line_of(std::size_t name_bytes, std::size_t password_bytes) {
    return '"' + std::string(name_bytes, 'n') + "\" \"" + std::string(password_bytes, 'p') + "\"\n";
}

}  // namespace

TEST_CASE("the auth file gives a user a line") {
    const auto file = AuthFile::parse("\"alice\" \"secret\"\n\"bob\"\t\"\"\n\"carol\" \"x\"");
    CHECK_FALSE(file.problem);
    CHECK(file.users.size() == 3);
    CHECK(stored(file, "alice") == "secret");
    CHECK(file.users.find("bob")->second.kind() == SecretKind::none);
    CHECK(stored(file, "carol") == "x");
}

TEST_CASE("empty lines, comments and what follows the password are passed over") {
    const auto file = AuthFile::parse("\n; \"mallory\" \"x\"\n  \r\n  \"alice\"\"secret\" \"more\" ; and more\r\n");
    CHECK_FALSE(file.problem);
    CHECK(stored(file, "mallory") == "(unknown)");
    CHECK(AuthFile::parse("\"alice\" \"secret\" more\r\n").users.size() == 1);
}

TEST_CASE("two quotes inside quotes are one") {
    const auto file = AuthFile::parse("\"al\"\"ice\" \"\"\"secret\"\"\"\n");
    CHECK_FALSE(file.problem);
    CHECK(stored(file, "al\"ice") == "\"secret\"");
}

TEST_CASE("of a name that comes twice the later line counts") {
    CHECK(stored(AuthFile::parse("\"alice\" \"old\"\n\"alice\" \"new\"\n"), "alice") == "new");
}

TEST_CASE("reading stops at the first bad line and keeps the users before it") {
    const auto file = AuthFile::parse("\"alice\" \"secret\"\n\nbob secret\n\"carol\" \"x\"\n");
    REQUIRE(file.problem);
    CHECK(file.problem->line == 3);
    CHECK(file.users.size() == 1);
    CHECK(to_string(*file.problem) == "broken auth file (line 3): expected a user name in double quotes");
}

TEST_CASE("a line without two quoted texts is bad") {
    CHECK(bad_line("alice \"secret\"") == 1);
    CHECK(bad_line("\"alice\"") == 1);
    CHECK(bad_line("\"alice\" secret") == 1);
    CHECK(bad_line("\"alice \n\" \"secret\"") == 1);
    CHECK(bad_line("\"alice\" \"secret") == 1);
    CHECK(bad_line("\"alice\" \"secret\"\"") == 1);
    CHECK(bad_line("\"\" \"secret\"") == 1);
    CHECK(bad_line(std::string_view("\"al\0ice\" \"secret\"", 17)) == 1);
}

TEST_CASE("names may have 127 bytes and passwords 65530") {
    CHECK(bad_line(line_of(127, 65530)) == 0);
    CHECK(bad_line(line_of(128, 1)) == 1);
    CHECK(bad_line(line_of(1, 65531)) == 1);
    CHECK(stored(AuthFile::parse(line_of(127, 65530)), std::string(127, 'n')).size() == 65530);
}

}  // namespace pgweir::test
