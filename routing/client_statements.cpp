#include "routing/client_statements.hpp"

namespace pgweir {

StatementRef ClientStatements::find(Bytes name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : found->second;
}

void ClientStatements::add(Bytes name, StatementRef statement) {
    remove(name);
    bytes_ += name.size() + statement->identity.size();
    names_.emplace(name, std::move(statement));
}

void ClientStatements::remove(Bytes name) {
    const auto found = names_.find(name);
    if (found == names_.end()) return;
    bytes_ -= name.size() + found->second->identity.size();
    names_.erase(found);
}

void ClientStatements::clear() {
    names_.clear();
    bytes_ = 0;
}

}  // namespace pgweir
