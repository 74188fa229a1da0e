// A message as it stands in a log line: whatever a stranger puts into a name, it forges no line and breaks no JSON.
#pragma once

#include <string>
#include <string_view>

namespace pgweir {

// PgBouncer's form: a line break is followed by a tab; other control characters are written out.
std::string as_log_text(std::string_view message);

// The inside of a JSON string. Bytes that are no UTF-8 become U+FFFD.
std::string as_json_text(std::string_view message);

}  // namespace pgweir
