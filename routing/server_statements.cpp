#include "routing/server_statements.hpp"

#include <algorithm>
#include <cassert>

namespace pgweir {
namespace {

constexpr std::size_t slots_kept = 256;
constexpr std::size_t name_kept = 4096;    // bytes

}  // namespace

std::optional<Presence> ServerStatements::presence_to_come(const Statement& statement) const {
    using enum StatementEffect::Kind;
    for (std::size_t i = end_; i > first_; --i) {
        const StatementEffect& effect = slots_[i - 1];
        if (effect.kind == all_forgotten) return Presence::unknown;
        if (effect.statement.get() != &statement) continue;
        if (effect.kind == server_has) return Presence::present;
        if (effect.kind == server_lacks) return Presence::absent;
    }
    return std::nullopt;
}

Presence ServerStatements::look_up(const Statement& statement) const {
    if (const auto to_come = presence_to_come(statement)) return *to_come;
    return table_ && table_->places.contains(&statement) ? Presence::present : Presence::absent;
}

Presence ServerStatements::use(const Statement& statement) {
    if (table_) {
        const auto found = table_->places.find(&statement);
        if (found != table_->places.end()) {
            table_->by_use.splice(table_->by_use.begin(), table_->by_use, found->second);
            return has_under_way() ? look_up(statement) : Presence::present;
        }
    }
    return presence_to_come(statement).value_or(Presence::absent);
}

StatementRef ServerStatements::to_evict(std::size_t max) const {
    using enum StatementEffect::Kind;
    if (!table_) return nullptr;
    auto expected = static_cast<std::ptrdiff_t>(size());
    for (const StatementEffect& effect : under_way())
        expected += effect.kind == server_has ? 1 : effect.kind == server_lacks ? -1 : 0;
    if (expected < static_cast<std::ptrdiff_t>(max)) return nullptr;
    for (auto oldest = table_->by_use.rbegin(); oldest != table_->by_use.rend(); ++oldest)
        if (look_up(**oldest) == Presence::present) return *oldest;
    return nullptr;
}

StatementEffect& ServerStatements::note(StatementEffect::Kind kind, std::uint32_t series) {
    if (!has_under_way() && slots_.size() > slots_kept) slots_.clear();    // what a huge pipeline took is not kept for ever
    if (end_ == slots_.size() && first_ > end_ / 2) {
        std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_), slots_.end());
        end_ -= first_;
        first_ = 0;
    }
    if (end_ == slots_.size()) slots_.emplace_back();
    StatementEffect& effect = slots_[end_++];
    effect.kind = kind;
    effect.refusal = Fault::none;
    effect.is_confirmed = false;
    effect.series = series;
    effect.statement = nullptr;
    if (effect.name.capacity() > name_kept)
        std::string().swap(effect.name);
    else
        effect.name.clear();
    return effect;
}

void ServerStatements::confirm_drop() {
    for (std::size_t i = first_; i < end_; ++i)
        if (slots_[i].kind == StatementEffect::Kind::client_drops && !slots_[i].is_confirmed) {
            slots_[i].is_confirmed = true;
            return;
        }
}

StatementEffect& ServerStatements::take_effect() {
    assert(has_under_way());
    StatementEffect& effect = slots_[first_++];
    if (first_ == end_) first_ = end_ = 0;
    return effect;
}

void ServerStatements::add(StatementRef statement) {
    if (!table_) table_ = std::make_unique<Table>();
    const auto [place, is_new] = table_->places.try_emplace(statement.get());
    if (!is_new) return;
    table_->by_use.push_front(std::move(statement));
    place->second = table_->by_use.begin();
}

void ServerStatements::remove(const Statement& statement) {
    if (!table_) return;
    const auto found = table_->places.find(&statement);
    if (found == table_->places.end()) return;
    table_->by_use.erase(found->second);
    table_->places.erase(found);
}

void ServerStatements::clear() { table_.reset(); }

}  // namespace pgweir
