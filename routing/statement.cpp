#include "routing/statement.hpp"

#include <algorithm>

#include "protocol/scram/digest.hpp"

namespace pgweir {
namespace {

bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// Past white space and comments (PostgreSQL manual, "Lexical Structure"; comments nest).
void skip_blank(Bytes& sql) {
    for (;;) {
        while (!sql.empty() && is_space(sql.front())) sql.remove_prefix(1);
        if (sql.starts_with("--")) {
            sql.remove_prefix(std::min(sql.find('\n'), sql.size()));
        } else if (sql.starts_with("/*")) {
            int depth = 0;
            do {
                const int step = sql.starts_with("/*") ? 1 : sql.starts_with("*/") ? -1 : 0;
                depth += step;
                sql.remove_prefix(step != 0 ? 2 : 1);
            } while (depth > 0 && !sql.empty());
        } else {
            return;
        }
    }
}

// The next word in lower case, if it is a short one; empty when something else comes.
std::string take_word(Bytes& sql) {
    skip_blank(sql);
    std::size_t size = 0;
    while (size < sql.size() && is_word(sql[size])) ++size;
    std::string word(sql.substr(0, std::min<std::size_t>(size, 16)));
    for (char& c : word)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    sql.remove_prefix(size);
    return word;
}

bool begins_by_forgetting(Bytes sql) {
    skip_blank(sql);
    if (sql.empty() || (sql.front() | 0x20) != 'd') return false;
    const std::string first = take_word(sql);
    if (first != "deallocate" && first != "discard") return false;
    std::string second = take_word(sql);
    if (first == "deallocate" && second == "prepare") second = take_word(sql);
    return second == "all";
}

bool ends_transaction(Bytes sql) {
    static constexpr std::array<Bytes, 5> words{"commit", "rollback", "end", "abort", "prepare"};
    return std::find(words.begin(), words.end(), take_word(sql)) != words.end();
}

template <std::size_t Size>
std::string hexadecimal(const std::array<std::uint8_t, Size>& bytes) {
    static constexpr Bytes digits = "0123456789abcdef";
    std::string out;
    for (const auto byte : bytes) {
        out += digits[byte >> 4];
        out += digits[byte & 15];
    }
    return out;
}

}  // namespace

bool forgets_statements(Bytes sql) {
    for (;;) {
        if (begins_by_forgetting(sql)) return true;
        const auto next = sql.find(';');
        if (next == Bytes::npos) return false;
        sql.remove_prefix(next + 1);
    }
}

StatementRef StatementCatalog::intern(Bytes identity) {
    const auto full = sha256(identity);
    Digest digest;
    std::copy_n(full.begin(), digest.size(), digest.begin());
    for (;; ++digest.back()) {    // two texts of one digest get two names
        auto& place = statements_[digest];
        const StatementRef known = place.lock();
        if (known && known->identity == identity) return known;
        if (known) continue;
        const Bytes sql = identity.substr(0, identity.find('\0'));
        // Not make_shared: the text must go with the last owner, not with the last look at it.
        const StatementRef made(new Statement{.identity = std::string(identity),
                                              .name = "pgweir_" + hexadecimal(digest),
                                              .forgets_statements = begins_by_forgetting(sql),
                                              .ends_transaction = ends_transaction(sql)});
        place = made;
        if (statements_.size() >= forget_at_) forget_unused();
        return made;
    }
}

void StatementCatalog::forget_unused() {
    std::erase_if(statements_, [](const auto& entry) { return entry.second.expired(); });
    forget_at_ = std::max<std::size_t>(64, statements_.size() * 2);
}

std::size_t StatementCatalog::live() const {
    return static_cast<std::size_t>(
        std::count_if(statements_.begin(), statements_.end(), [](const auto& entry) { return !entry.second.expired(); }));
}

}  // namespace pgweir
