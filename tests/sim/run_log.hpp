// What servers have really done, by client: which runs of statements they executed, and which of these were canceled. The
// reference of each client follows the cancels, and the runs are compared at the end.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

namespace pgweir::sim {

struct RunLog {
    std::map<int, std::vector<std::string>> executed;  // by client, in order
    std::set<std::string> canceled;
};

}  // namespace pgweir::sim
