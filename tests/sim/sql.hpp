// The little language that scripts are written in, and the few statements of real SQL that pgweir itself sends.
//
//   /*TAG*/ROWS n size k     n rows of `size` bytes; an error after k of them unless k < 0
//   /*TAG*/COPYIN k s        reads data; an error after k CopyData messages (0: before any is read) unless k < 0;
//                            s = 1: the script sends a Sync right behind the Execute, as libpq does
//   /*TAG*/COPYOUT n size k, NOTICE n, SLEEP ms, ERROR, BADSYNTAX, BEGIN, COMMIT, ROLLBACK, SET name='value'
//   /*TAG*/DISCARD ALL, DEALLOCATE ALL    whose command tags are PostgreSQL's own, to the letter
//
// A tag is client.request.place: every reply that has room for it carries it, so it is seen whose request earned it.
// The text of a shared prepared statement is the same for all clients: its mark is @NUMBER, and the one parameter of a Bind
// is the tag of what is run. Replies then carry both.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

namespace pgweir::sim {

enum class Verb {
    empty,
    rows,
    copy_in,
    copy_out,
    notice,
    sleep,
    error,
    bad_syntax,
    begin,
    commit,
    rollback,
    set,
    discard,
    deallocate
};

struct Statement {
    Verb verb = Verb::empty;
    std::string tag{};   // empty: not a script's
    std::string text{};  // the mark of its text, where that is not its tag
    std::array<int, 3> numbers{};
    std::string name{};
    std::string value{};
};

// The statements of a query string; empty ones are left out.
std::vector<Statement> parse_sql(std::string_view sql);

// The client whose statement this is; -1: nobody's.
int client_of(const Statement& statement);

}  // namespace pgweir::sim
