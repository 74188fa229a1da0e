// Files that exist only in a test.
#pragma once

#include <map>
#include <string>

#include "routing/file_reader.hpp"

namespace pgweir {

struct MemoryFiles : FileReader {
    std::map<std::string, std::string> files;

    FileContents read(const std::string& path) override {
        const auto found = files.find(path);
        if (found == files.end()) return {{}, "No such file or directory"};
        return {found->second, {}};
    }
};

}  // namespace pgweir
