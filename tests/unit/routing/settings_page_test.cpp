#include "tests/support/settings_page.hpp"

#include <fstream>
#include <iterator>

#include "tests/support/catch.hpp"

using namespace pgweir;

namespace {

const std::string page_path = PGWEIR_SOURCE_DIR "/docs/settings.md";

}  // namespace

TEST_CASE("docs/settings.md says what the table of settings says") {
    std::ifstream file{page_path};
    REQUIRE(file);
    const std::string page{std::istreambuf_iterator<char>{file}, {}};
    INFO("run: routing_test \"[.write-settings-page]\"");
    CHECK((page == settings_page()));
}

// No test: writes the page. Runs only when asked for by its tag.
TEST_CASE("write docs/settings.md", "[.write-settings-page]") {
    std::ofstream file{page_path};
    file << settings_page();
    REQUIRE(file.flush());
}
