#!/usr/bin/env bash
set -euo pipefail
cmp -s main.cpp .built || g++ -std=c++17 -O1 -Wall -Wextra -Wno-deprecated-declarations main.cpp -lpqxx -lpq -pthread -o run.program
cp main.cpp .built
