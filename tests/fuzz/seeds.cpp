// Writes the fuzzer's seed corpus: `pgweir_fuzz_seeds DIR` makes DIR/PARSER/SEED for each parser and prints the names of
// the parsers.

#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>

#include "tests/fuzz/parsers.hpp"

namespace pgweir::test {

namespace {

void write_seeds(const FuzzParser& parser, char index, const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    for (const auto& seed : parser.seeds()) {
        std::ofstream out(folder / seed.name, std::ios::binary);
        out.exceptions(std::ios::badbit | std::ios::failbit);
        out << index << seed.bytes;
    }
}

void write_all_seeds(const std::filesystem::path& folder) {
    char index = 0;
    for (const auto& parser : fuzz_parsers()) {
        write_seeds(parser, index++, folder / parser.name);
        std::puts(parser.name.c_str());
    }
}

}  // namespace

}  // namespace pgweir::test

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: pgweir_fuzz_seeds DIR\n", stderr);
        return 2;
    }
    try {
        pgweir::test::write_all_seeds(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
