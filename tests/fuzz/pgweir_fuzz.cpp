// The fuzzer: the first byte of an input chooses the parser, the rest is what it gets.
// PGWEIR_FUZZ_PARSER=NAME fixes the parser; the first byte is then passed over, so inputs serve both ways.

#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "tests/fuzz/parsers.hpp"

namespace pgweir::test {

namespace {

// The parser that the environment names, or none.
const FuzzParser* fixed_parser() {
    const char* name = std::getenv("PGWEIR_FUZZ_PARSER");
    if (name == nullptr) return nullptr;
    const auto& parsers = fuzz_parsers();
    const auto is_it = [&](const FuzzParser& parser) { return parser.name == name; };
    const auto found = std::find_if(parsers.begin(), parsers.end(), is_it);
    if (found == parsers.end()) {
        std::fprintf(stderr, "PGWEIR_FUZZ_PARSER: no parser \"%s\"\n", name);
        std::exit(2);
    }
    return &*found;
}

void run_one(Bytes input) {
    static const FuzzParser* const fixed = fixed_parser();
    if (input.empty()) return;
    const auto chosen = static_cast<unsigned char>(input.front());
    const auto& parsers = fuzz_parsers();
    const auto& parser = fixed != nullptr ? *fixed : parsers[chosen % parsers.size()];
    parser.run(input.substr(1));
}

}  // namespace

}  // namespace pgweir::test

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    pgweir::test::run_one({reinterpret_cast<const char*>(data), size});
    return 0;
}
