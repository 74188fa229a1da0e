#include "routing/client_statements.hpp"

namespace pgweir {

StatementRef ClientStatements::find(Bytes name) const {
    const auto found = names_.find(name);
    return found == names_.end() ? nullptr : found->second;
}

void ClientStatements::add(Bytes name, StatementRef statement) {
    remove(name);
    bytes_ += size_of(name, *statement);
    names_.emplace(name, std::move(statement));
}

void ClientStatements::remove(Bytes name) {
    const auto found = names_.find(name);
    if (found == names_.end()) return;
    bytes_ -= size_of(name, *found->second);
    names_.erase(found);
}

void ClientStatements::clear() {
    for (const auto& [name, statement] : names_) bytes_ -= size_of(name, *statement);
    names_.clear();
}

}  // namespace pgweir
