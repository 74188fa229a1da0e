// A small model of one PostgreSQL backend: frontend messages in, the replies that PostgreSQL would give out, byte for byte.
//
// Promises: what it answers depends on the bytes it was given and on the cancels told to `step`, never on time; so the same
//           script gives the same replies here and behind pgweir.
// Follows PostgreSQL's manual ("Message Flow") and `PostgresMain`: one ReadyForQuery per Query, FunctionCall and Sync; after
// an error in the extended protocol everything up to Sync is skipped; COPY IN reads past Sync and Flush; COPY data that no
// COPY waits for is ignored. Rows and command tags carry the statement's tag, the transaction status, the number of the
// statement in its transaction block and the session's settings: a reply from the wrong place is not equal to the right one.
// Not here: how long a statement takes, sockets, who may send what (Backend).
#pragma once

#include <array>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/result.hpp"
#include "tests/sim/sql.hpp"

namespace pgweir::sim {

using Gucs = std::array<std::string, 6>;
extern const std::array<const char*, 6> guc_names;
inline constexpr std::size_t guc_date_style = 1, guc_time_zone = 2, guc_application_name = 4, guc_interval_style = 5;

Gucs default_gucs();
// A value as the server reports it; empty for one that it refuses.
std::string canonical(std::string_view value);

struct Reply {
    std::string bytes;
    // ReadyForQuery for a Sync of which nobody but the server can say whether a COPY that failed at its start has read it.
    bool may_be_missing = false;
};

struct ModelTraits {
    bool reports_at_once = false;  // ParameterStatus at the change (before PostgreSQL 14), or before ReadyForQuery
    bool shows_session = false;    // replies carry the number of statements since the session was reset
};

class ModelServer {
public:
    ModelServer(Gucs gucs, ModelTraits traits);

    void feed(Bytes bytes) { input_ += bytes; }
    // A statement or a whole message is there to be worked on.
    bool has_work() const;
    // What `step` would run, and the name of this run of it; null while it would only read a message.
    const Statement* next_statement();
    std::string next_run();
    bool waits_in_copy() const { return copy_.has_value(); }
    // One statement, or one message. `canceled`: it is canceled half way; in a COPY, before anything more is read.
    void step(bool canceled = false);
    // The message or run that `step` would work on, for a trace.
    std::string next_step();
    // The next message runs nothing, so nobody has to decide anything about it: a Sync, or what earns no reply.
    bool next_is_inert() const;

    // A change of a setting that no statement made.
    void change_setting(std::size_t guc, const std::string& value);

    bool has_ended() const { return has_ended_; }
    char transaction() const { return status_; }
    // Statements that it keeps under a name, but for the one whose name pgweir takes so that it is refused.
    std::size_t prepared() const { return prepared_.size() - prepared_.count("") - prepared_.count("pgweir_taken"); }

    std::deque<Reply> replies;          // to be taken by the owner
    std::vector<std::string> executed;  // runs of tagged statements, to be taken by the owner

private:
    struct Portal {
        Statement statement;
        int sent = 0;
    };
    struct Copy {
        Statement statement;
        int messages = 0;
        int rows = 0;
        int syncs = 0;
    };

    void on_message(char type, std::string_view body, bool canceled);
    void on_query(std::string_view sql);
    void on_parse(std::string_view body);
    void on_bind(std::string_view body);
    const Statement* find_prepared(const std::string& name);
    void on_describe(std::string_view body);
    void on_execute(std::string_view body, bool canceled);
    void on_close(std::string_view body);
    void on_function_call(std::string_view body);
    void on_sync();
    void on_copy_message(char type);

    void run(const Statement& statement, Portal* portal, int limit, bool canceled);
    void run_rows(const Statement& statement, Portal* portal, int limit, bool canceled);
    void run_copy_in(const Statement& statement);
    void run_copy_out(const Statement& statement);
    void run_set(const Statement& statement);
    void run_transaction(const Statement& statement);
    void run_discard();
    void complete(const Statement& statement, std::string_view word);
    void complete_plainly(std::string_view tag);
    bool is_refused_as_aborted(const Statement& statement);
    void fail(std::string_view sqlstate, std::string_view text);
    void end_implicit_transaction();
    void finish_query();
    void ready(bool may_be_missing);
    void report_changes();
    void emit(std::string bytes, bool may_be_missing = false) { replies.push_back({std::move(bytes), may_be_missing}); }
    std::string state_text(const Statement& statement) const;

    ModelTraits traits_;
    std::string input_;
    Gucs initial_;
    Gucs values_;
    Gucs committed_;
    Gucs reported_;
    std::map<std::string, Statement> prepared_;
    std::map<std::string, Portal> portals_;
    std::map<std::string, int> runs_;  // how often each tag's statement has been run
    std::deque<Statement> queue_;      // what is left of a Query
    std::optional<Copy> copy_;
    char status_ = 'I';
    bool extended_ = false;  // of the message being worked on
    bool skipping_ = false;
    bool has_ended_ = false;
    int doubtful_sync_ = 0;  // 1: the Sync that ends this error is doubtful; 2: the one behind it may go unanswered
    int block_statements_ = 0;
    int session_statements_ = 0;
};

}  // namespace pgweir::sim
