// What only shows when settings are looked at together; for the loader and so for --check.
#pragma once

#include <string>
#include <vector>

#include "routing/settings.hpp"

namespace pgweir {

struct SettingsFindings {
    std::vector<std::string> errors;
    std::vector<std::string> warnings;
};

SettingsFindings check_together(const Settings& settings);

// True when every address that is listened on stays on this host.
bool listens_on_loopback_only(const Settings& settings);

}  // namespace pgweir
