// Prepared statements by what they are: one copy of each text and its parameter types for the whole process.
//
// Promises: identity is the full text and types; the digest only names and finds it. A statement lives as long as a client
//           or a server has it. Not safe for several threads: the proxy puts a lock around the catalog.
// Not here: which client calls it what (ClientStatements), which server has it (ServerStatements).
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "protocol/result.hpp"

namespace pgweir {

struct Statement {
    std::string identity;            // as in a Parse behind its name: the text, NUL, the parameter types
    std::string name;                // on every server that has it
    std::uint32_t age = 0;           // of the catalog, when it was made
    bool forgets_statements = false; // DEALLOCATE ALL, DISCARD ALL
    bool ends_transaction = false;   // works in a failed transaction too

    Bytes sql() const { return Bytes(identity).substr(0, identity.find('\0')); }
};

using StatementRef = std::shared_ptr<const Statement>;

class StatementSource {
public:
    virtual ~StatementSource() = default;
    // The one copy; made when new.
    virtual StatementRef intern(Bytes identity) = 0;
    // A server has said that a plan of its is outdated: whoever prepares any of today's statements again gets a new one, which
    // no server has yet.
    virtual void outdate() = 0;
};

class StatementCatalog : public StatementSource {
public:
    StatementRef intern(Bytes identity) override;
    void outdate() override { ++age_; }

    // Statements that somebody has.
    std::size_t live() const;

private:
    using Digest = std::array<std::uint8_t, 16>;

    void forget_unused();

    std::map<Digest, std::weak_ptr<const Statement>> statements_;
    std::size_t forget_at_ = 64;
    std::uint32_t age_ = 0;    // how often they were outdated
};

// False: as its first letter says and since nothing follows, the text drops no prepared statement. A quick look, since every
// Query and unnamed Parse gets it.
bool may_drop_statements(Bytes sql);

// Whether a text holds a statement that drops prepared statements, at its top level. May say yes too often, of texts with
// several statements; of one statement it knows.
bool forgets_statements(Bytes sql);

// `DEALLOCATE [PREPARE] name` in a text, not ALL.
struct Deallocation {
    std::string name;      // as PostgreSQL folds it
    std::size_t begin;     // where it stands
    std::size_t end;
};

// The only one in a text. Nothing where the text has quotes, comments and the like outside of it, which might hide what it is.
std::optional<Deallocation> find_deallocation(Bytes sql);

}  // namespace pgweir
