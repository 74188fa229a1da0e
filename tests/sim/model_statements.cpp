// The model's statements: what each verb does and answers.
#include "tests/sim/failure.hpp"
#include "tests/sim/frames.hpp"
#include "tests/sim/model_server.hpp"

namespace pgweir::sim {
namespace {

std::string padded(std::string text, int size) {
    if (static_cast<int>(text.size()) < size) text.append(static_cast<std::size_t>(size) - text.size(), '.');
    return text;
}

std::string data_row(const std::string& text) {
    std::string body;
    append_int16(body, 1);
    append_int32(body, static_cast<std::int64_t>(text.size()));
    return frame('D', body + text);
}

// CopyInResponse or CopyOutResponse: text, one column.
std::string copy_response(char type) { return frame(type, std::string("\0\0\1\0\0", 5)); }

std::string lower(std::string text) {
    for (char& c : text)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return text;
}

}  // namespace

// Everything that a statement run in the wrong place would get wrong.
std::string ModelServer::state_text(const Statement& statement) const {
    std::string text = fmt::format("{} {} block {}", statement.tag, status_, status_ == 'I' ? 0 : block_statements_);
    if (!statement.text.empty()) text += " by " + statement.text;
    if (traits_.shows_session) text += fmt::format(" session {}", session_statements_);
    for (const std::size_t guc : {guc_date_style, guc_application_name, guc_interval_style})
        text += ' ' + lower(values_[guc]);
    return text;
}

void ModelServer::run(const Statement& statement, Portal* portal, int limit, bool canceled) {
    if (is_refused_as_aborted(statement)) return;
    if (!statement.tag.empty()) {
        ++session_statements_;
        if (status_ == 'T') ++block_statements_;
        executed.push_back(fmt::format("{}:{}", statement.tag, runs_[statement.tag]));
    }
    ++runs_[statement.tag];
    if (statement.verb == Verb::rows || statement.verb == Verb::sleep)
        return run_rows(statement, portal, limit, canceled);
    if (canceled) return fail("57014", "canceling statement due to user request");
    switch (statement.verb) {
        case Verb::copy_in: return run_copy_in(statement);
        case Verb::copy_out: return run_copy_out(statement);
        case Verb::error: return fail("22012", "error of " + statement.tag);
        case Verb::set: return run_set(statement);
        case Verb::begin:
        case Verb::commit:
        case Verb::rollback: return run_transaction(statement);
        case Verb::discard: return run_discard();
        case Verb::deallocate: prepared_.clear(); return complete_plainly("DEALLOCATE ALL");
        case Verb::notice:
            for (int i = 0; i < statement.numbers[0]; ++i)
                emit(report_frame('N', "NOTICE", "00000", "notice of " + statement.tag));
            return complete(statement, "DO");
        default: throw Failure("model: a statement that cannot be run");
    }
}

void ModelServer::run_rows(const Statement& statement, Portal* portal, int limit, bool canceled) {
    auto [count, size, error_after] = statement.numbers;
    if (statement.verb == Verb::sleep) {
        count = 1;
        error_after = -1;
    }
    const int from = portal != nullptr ? portal->sent : 0;
    if (canceled) error_after = from + (count - from) / 2;
    if (portal == nullptr) emit(row_description());
    for (int row = from; row < count; ++row) {
        if (row == error_after) break;
        emit(data_row(padded(fmt::format("{} row {}", state_text(statement), row), size)));
        if (portal == nullptr) continue;
        ++portal->sent;
        if (limit > 0 && portal->sent - from == limit) return emit(frame('s'));
    }
    if (canceled) return fail("57014", "canceling statement due to user request");
    if (error_after >= from && error_after < count) return fail("22012", "error in a row of " + statement.tag);
    complete(statement, "SELECT");
}

void ModelServer::run_copy_in(const Statement& statement) {
    emit(copy_response('G'));
    copy_ = Copy{.statement = statement};
    if (statement.numbers[0] == 0) fail("P0001", "a trigger refused the COPY of " + statement.tag);
}

void ModelServer::run_copy_out(const Statement& statement) {
    const auto [count, size, error_after] = statement.numbers;
    emit(copy_response('H'));
    for (int row = 0; row < count; ++row) {
        if (row == error_after) return fail("22012", "error in COPY of " + statement.tag);
        emit(frame('d', padded(fmt::format("{} line {}", state_text(statement), row), size)));
    }
    emit(frame('c'));
    complete(statement, "COPY");
}

void ModelServer::run_set(const Statement& statement) {
    for (std::size_t guc = 0; guc < values_.size(); ++guc) {
        if (statement.name != guc_names[guc]) continue;
        auto value = canonical(statement.value);
        if (value.empty()) return fail("22023", "invalid value for parameter " + statement.name);
        values_[guc] = std::move(value);
        if (traits_.reports_at_once) report_changes();
        return complete(statement, "SET");
    }
    throw Failure("model: SET of an unknown parameter: " + statement.name);
}

void ModelServer::run_transaction(const Statement& statement) {
    const bool in_block = status_ != 'I';
    if (statement.verb == Verb::begin) {
        if (in_block)
            emit(report_frame('N', "WARNING", "25001", "there is already a transaction in progress"));
        else
            block_statements_ = 0;
        status_ = 'T';
        return complete(statement, "BEGIN");
    }
    if (!in_block) emit(report_frame('N', "WARNING", "25P01", "there is no transaction in progress"));
    const bool commits = statement.verb == Verb::commit && status_ != 'E';
    if (commits)
        committed_ = values_;
    else if (in_block)
        values_ = committed_;
    status_ = 'I';
    portals_.clear();
    if (traits_.reports_at_once) report_changes();
    complete(statement, commits ? "COMMIT" : "ROLLBACK");
}

// Only outside of a transaction block, as PostgreSQL has it.
void ModelServer::run_discard() {
    if (status_ == 'T') return fail("25001", "DISCARD ALL cannot run inside a transaction block");
    values_ = committed_ = initial_;
    prepared_.clear();
    session_statements_ = 0;
    complete_plainly("DISCARD ALL");
}

// With a command tag that pgweir looks for.
void ModelServer::complete_plainly(std::string_view tag) {
    emit(frame('C', zero_ended(tag)));
    if (!extended_ && queue_.empty()) finish_query();
}

// The statement is done; a Query goes on with its next one.
void ModelServer::complete(const Statement& statement, std::string_view word) {
    emit(frame('C', zero_ended(statement.tag.empty() ? std::string(word)
                                                     : fmt::format("{} {}", word, state_text(statement)))));
    if (!extended_ && queue_.empty()) finish_query();
}

}  // namespace pgweir::sim
