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

constexpr std::size_t identifier_bytes_max = 63;    // PostgreSQL cuts longer ones

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// PostgreSQL manual, "Identifiers and Key Words".
std::optional<std::string> take_identifier(Bytes& sql, bool& is_quoted) {
    skip_blank(sql);
    std::string name;
    is_quoted = sql.starts_with('"');
    if (is_quoted) {
        for (;;) {
            sql.remove_prefix(1);
            const auto end = sql.find('"');
            if (end == Bytes::npos) return std::nullopt;
            name += sql.substr(0, end);
            sql.remove_prefix(end + 1);
            if (!sql.starts_with('"')) break;
            name += '"';
        }
    } else {
        const auto is_part = [](char c) { return is_word(c) || (c >= '0' && c <= '9') || c == '$' || (c & 0x80) != 0; };
        if (sql.empty() || !is_part(sql.front()) || (sql.front() >= '0' && sql.front() <= '9') || sql.front() == '$') return std::nullopt;
        for (; !sql.empty() && is_part(sql.front()); sql.remove_prefix(1)) name += lower(sql.front());
    }
    if (name.empty() || name.size() > identifier_bytes_max) return std::nullopt;
    return name;
}

// Of one statement.
std::optional<std::string> deallocated_name(Bytes sql) {
    skip_blank(sql);
    if (sql.empty() || lower(sql.front()) != 'd' || take_word(sql) != "deallocate") return std::nullopt;
    bool is_quoted = false;
    auto name = take_identifier(sql, is_quoted);
    if (name && !is_quoted && *name == "prepare") {
        bool other_is_quoted = false;
        if (auto other = take_identifier(sql, other_is_quoted)) {
            name = std::move(other);
            is_quoted = other_is_quoted;
        }
    }
    if (!name || (*name == "all" && !is_quoted)) return std::nullopt;
    skip_blank(sql);
    return sql.empty() ? name : std::nullopt;
}

// A quote, a comment: where they are, not each semicolon ends a statement.
bool may_hide_semicolon(Bytes sql) { return sql.find_first_of("'\"$-/") != Bytes::npos; }

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

std::string name_of(const std::array<std::uint8_t, 16>& digest, std::uint32_t age) {
    std::string name = "pgweir_" + hexadecimal(digest);
    return age == 0 ? name : name + "_" + std::to_string(age);
}

}  // namespace

bool may_drop_statements(Bytes sql) {
    if (sql.empty() || !is_word(sql.front()) || lower(sql.front()) == 'd') return true;
    const auto semicolon = sql.find(';');
    return semicolon != Bytes::npos && semicolon + 2 < sql.size();    // the NUL that ends a Query, or a space
}

bool forgets_statements(Bytes sql) {
    for (;;) {
        if (begins_by_forgetting(sql)) return true;
        const auto next = sql.find(';');
        if (next == Bytes::npos) return false;
        sql.remove_prefix(next + 1);
    }
}

std::optional<Deallocation> find_deallocation(Bytes sql) {
    std::optional<Deallocation> found;
    for (std::size_t begin = 0; begin <= sql.size();) {
        const auto end = std::min(sql.find(';', begin), sql.size());
        if (auto name = deallocated_name(sql.substr(begin, end - begin))) {
            if (found) return std::nullopt;
            found = Deallocation{.name = std::move(*name), .begin = begin, .end = end};
        }
        begin = end + 1;
    }
    if (!found || may_hide_semicolon(sql.substr(0, found->begin)) || may_hide_semicolon(sql.substr(found->end))) return std::nullopt;
    return found;
}

StatementRef StatementCatalog::intern(Bytes identity) {
    const auto full = sha256(identity);
    Digest digest;
    std::copy_n(full.begin(), digest.size(), digest.begin());
    for (;; ++digest.back()) {    // two texts of one digest get two names
        auto& place = statements_[digest];
        const StatementRef known = place.lock();
        const bool is_same = known && known->identity == identity;
        if (is_same && known->age == age_) return known;
        if (known && !is_same) continue;
        const Bytes sql = identity.substr(0, identity.find('\0'));
        // Not make_shared: the text must go with the last owner, not with the last look at it.
        const StatementRef made(new Statement{.identity = std::string(identity),
                                              .name = name_of(digest, age_),
                                              .age = age_,
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
