// The prepared statements that one server connection has, by last use, and what is under way to change that.
//
// Promises: `has` is what the server has said, changed by what was sent since in the series that is being sent; an effect
//           holds only once its request has succeeded, and one that failed leaves no trace.
// Not here: the messages (ClientSession), whose replies they are (ReplyLedger).
#pragma once

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "routing/client_fault.hpp"
#include "routing/statement.hpp"

namespace pgweir {

// What a request will have changed when it succeeds.
struct StatementEffect {
    enum class Kind : std::uint8_t {
        server_has,         // a Parse under the statement's own name
        server_lacks,       // a Close of it
        client_names,       // the client's `name` means the statement
        client_forgets,     // … means nothing
        client_drops,       // … if the tag of the DEALLOCATE says so
        unnamed,            // the client's unnamed statement has the text `name`; empty: it is gone
        unnamed_again,      // ours, of the same text on another server
        all_forgotten,      // DEALLOCATE ALL or DISCARD ALL, if its tag says so
        refused,            // nothing: it is sent to fail, and the client is told `refusal` of `name`
    };

    Kind kind = Kind::refused;
    Fault refusal = Fault::none;
    bool is_confirmed = false;   // client_drops: it has been done
    std::uint32_t series = 0;    // ReplyLedger's, when it was sent
    StatementRef statement;
    std::string name;            // … or the text of an unnamed statement

    bool is_about_unnamed() const { return kind == Kind::unnamed || kind == Kind::unnamed_again; }
};

enum class Presence : std::uint8_t { absent, present, unknown };    // unknown: if what is under way does what it may

class ServerStatements {
public:
    Presence look_up(const Statement& statement) const;
    // The same, for a request that uses it: it will be the last one to go.
    Presence use(const Statement& statement);
    // The one to close before another is prepared, while `max` may be there; null: there is room.
    StatementRef to_evict(std::size_t max) const;

    // A new one behind the others; the caller fills in the rest.
    StatementEffect& note(StatementEffect::Kind kind, std::uint32_t series);
    bool has_under_way() const { return first_ < end_; }
    // Oldest first.
    std::span<const StatementEffect> under_way() const { return std::span(slots_).subspan(first_, end_ - first_); }
    // The oldest `client_drops` has been done.
    void confirm_drop();
    // The oldest one, off the list; there until the next `note`.
    StatementEffect& take_effect();
    void add(StatementRef statement);
    void remove(const Statement& statement);
    void clear();

    std::size_t size() const { return table_ ? table_->places.size() : 0; }

private:
    struct Table {
        std::list<StatementRef> by_use;    // last used first
        std::unordered_map<const Statement*, std::list<StatementRef>::iterator> places;
    };

    // Nothing: `under_way` does not say.
    std::optional<Presence> presence_to_come(const Statement& statement) const;

    std::unique_ptr<Table> table_;
    std::vector<StatementEffect> slots_;    // those under way from `first_` to `end_`; the memory of the others is used again
    std::size_t first_ = 0;
    std::size_t end_ = 0;
};

}  // namespace pgweir
