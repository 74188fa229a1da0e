// Who may include and use what, checked on the text of a file (DESIGN §2: protocol <- routing <- admin <- proxy).
//
// Promises: every breach is reported with file, line and the rule it breaks; comments and string literals never count.
// Leaves to others: finding the files (layering_test.cpp). It reads names, not meaning: a breach through an alias or a
// macro of one's own passes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace pgweir::layering {

struct SourceFile {
    std::string path;  // from the project root: "routing/pool.hpp"
    std::string text;
};

struct Breach {
    std::string path;
    int line;
    std::string rule;  // what is forbidden, and to whom
    std::string found;

    bool operator==(const Breach&) const = default;
};

// `text` with comments and the contents of string and character literals blanked out, line breaks kept. The paths of
// #include directives stay readable.
std::string without_comments_and_literals(std::string_view text);

std::vector<Breach> breaches_of(const SourceFile& file);

// Rules that one file alone cannot break: PostgreSQL's grammar is called from one file only.
std::vector<Breach> breaches_among(const std::vector<SourceFile>& files);

}  // namespace pgweir::layering
