// The example files of conf/.

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include "routing/setting_table.hpp"
#include "routing/settings_loader.hpp"
#include "tests/support/catch.hpp"

using namespace pgweir;

namespace {

const std::string folder = PGWEIR_SOURCE_DIR "/conf";

struct DiskFiles : FileReader {
    FileContents read(const std::string& path) override {
        std::ifstream file{path};
        if (!file) return {{}, "cannot open"};
        return {{std::istreambuf_iterator<char>{file}, {}}, {}};
    }
};

// The settings of pgweir.ini, commented out (";name = value") or not.
std::map<std::string, std::string> settings_of_example(bool commented_out) {
    std::map<std::string, std::string> settings;
    std::istringstream text{DiskFiles{}.read(folder + "/pgweir.ini").text};
    bool in_main_section = false;
    for (std::string line; std::getline(text, line);) {
        if (line.starts_with('[')) in_main_section = line == "[pgbouncer]";
        const bool is_comment = line.starts_with(';');
        if (is_comment) line.erase(0, 1);
        const auto equals = line.find(" =");
        if (!in_main_section || is_comment != commented_out || line.starts_with(' ') || equals == line.npos) continue;
        settings[line.substr(0, equals)] = line.size() > equals + 3 ? line.substr(equals + 3) : "";
    }
    return settings;
}

}  // namespace

TEST_CASE("every example configuration loads without an error or a warning") {
    int loaded = 0;
    for (const auto& file : std::filesystem::directory_iterator{folder}) {
        if (file.path().extension() != ".ini") continue;
        DiskFiles files;
        const auto result = load_settings({.path = file.path()}, files);
        CAPTURE(file.path(), result.errors, result.warnings);
        CHECK(result.settings);
        CHECK(result.warnings.empty());
        ++loaded;
    }
    CHECK(loaded >= 2);
}

TEST_CASE("pgweir.ini names every setting that is supported, and no other") {
    auto named = settings_of_example(true);
    named.merge(settings_of_example(false));
    for (const auto& row : setting_table()) {
        CAPTURE(row.name);
        CHECK(named.erase(std::string{row.name}) == (row.is_supported() ? 1U : 0U));
    }
    CHECK(named.empty());
}

TEST_CASE("what pgweir.ini has commented out are the defaults") {
    for (const auto& [name, value] : settings_of_example(true)) {
        const auto* row = find_setting(name);
        CAPTURE(name);
        REQUIRE(row);
        CHECK(value == (row->default_text ? row->default_text : ""));
    }
}
