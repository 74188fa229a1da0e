// How routing/ gets the text of a file without opening one: proxy/ and the tests say how.
#pragma once

#include <string>

namespace pgweir {

struct FileContents {
    std::string text;
    std::string error;                         // the system's reason, e.g. "No such file or directory"; empty: success
};

class FileReader {
public:
    virtual ~FileReader() = default;
    virtual FileContents read(const std::string& path) = 0;
};

}  // namespace pgweir
