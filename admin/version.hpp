// What this program calls itself. The number comes from the build (PROJECT_VERSION).
#pragma once

#include <string_view>

namespace pgweir {

extern const std::string_view version_number;   // "1.2.3"
extern const std::string_view version_text;     // "pgweir 1.2.3": SHOW VERSION, --version, the log's first line

}  // namespace pgweir
