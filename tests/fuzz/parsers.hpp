// What is fuzzed: every parser of bytes from outside, one row each. Messages come from tests/support; a new parser that is
// no message has its row in one of the other files, each of which has a function below.
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

std::vector<FuzzParser> stream_parsers();           // stream_rows.cpp
std::vector<FuzzParser> configuration_parsers();    // configuration_rows.cpp
std::vector<FuzzParser> scram_parsers();            // scram_rows.cpp
std::vector<FuzzParser> login_parsers();            // login_rows.cpp
std::vector<FuzzParser> session_parsers();          // session_rows.cpp

// The wire bytes of tests/vectors, the bad ones too: "frontend_messages.txt", "backend_messages.txt", "startup_packets.txt".
std::vector<Seed> wire_seeds(const std::string& vector_file);

// Traps, so that the fuzzer keeps the input.
void require(bool holds, const char* claim);

}  // namespace pgweir::test
