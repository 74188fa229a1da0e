// The databases that are the admin console: PgBouncer's name for it, and ours.
#pragma once

#include <string_view>

#include "routing/settings.hpp"

namespace pgweir {

inline constexpr std::string_view console_database_alias = "pgweir";

constexpr bool is_console_database(std::string_view name) { return name == console_database || name == console_database_alias; }

}  // namespace pgweir
