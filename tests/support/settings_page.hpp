// The text of docs/settings.md, made from the table of settings.
#pragma once

#include <string>

namespace pgweir {

std::string settings_page();

}  // namespace pgweir
