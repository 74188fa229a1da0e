// What is fuzzed: every parser of bytes from outside, one row each. `further_parsers` in parsers.cpp is the place for a
// new one that is not a message.
//
// A row's function takes any bytes and traps if what it promises does not hold; the sanitizers see to the rest.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "protocol/result.hpp"

namespace pgweir::test {

struct Seed {
    std::string name;
    std::string bytes;
};

struct FuzzParser {
    std::string name;
    std::function<void(Bytes)> run;
    std::function<std::vector<Seed>()> seeds;    // inputs to begin with, valid and bad ones
};

const std::vector<FuzzParser>& fuzz_parsers();

// Traps, so that the fuzzer keeps the input.
void require(bool holds, const char* claim);

}  // namespace pgweir::test
