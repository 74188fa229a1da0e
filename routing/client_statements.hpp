// The prepared statements of one client by the names it gave them, and the text of its unnamed one where a server may have
// to be told it again.
#pragma once

#include <cstddef>
#include <string>
#include <unordered_map>

#include "routing/statement.hpp"

namespace pgweir {

class ClientStatements {
public:
    // What one client may have: PostgreSQL has no bound of its own but its memory, and this memory is everybody's.
    static constexpr std::size_t count_max = 65'536;
    static constexpr std::size_t bytes_max = std::size_t{64} << 20;    // names and texts

    // Null: no such name.
    StatementRef find(Bytes name) const;
    void add(Bytes name, StatementRef statement);
    void remove(Bytes name);
    void clear();

    // Those that are being prepared count too: from `promise` on, to `settle`, whether it has come to be or not.
    bool has_room_for(Bytes name, const Statement& statement) const {
        return names_.size() + promised_ < count_max && bytes_ + size_of(name, statement) <= bytes_max;
    }
    void promise(Bytes name, const Statement& statement) {
        ++promised_;
        bytes_ += size_of(name, statement);
    }
    void settle(Bytes name, const Statement& statement) {
        --promised_;
        bytes_ -= size_of(name, statement);
    }
    std::size_t size() const { return names_.size(); }

    // As in a Parse behind its name; empty: not known.
    std::string unnamed;
    // The statement that the unnamed one drops when it is run; empty: none.
    std::string unnamed_drops;

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(Bytes name) const { return std::hash<Bytes>{}(name); }
    };

    static std::size_t size_of(Bytes name, const Statement& statement) { return name.size() + statement.identity.size(); }

    std::unordered_map<std::string, StatementRef, Hash, std::equal_to<>> names_;
    std::size_t promised_ = 0;
    std::size_t bytes_ = 0;    // of both
};

}  // namespace pgweir
