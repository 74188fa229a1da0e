// The model's messages: what is read, and in which state.
#include "tests/sim/model_server.hpp"

#include "tests/sim/failure.hpp"
#include "tests/sim/frames.hpp"

namespace pgweir::sim {
namespace {

bool ends_transaction(const Statement& statement) {
    return statement.verb == Verb::commit || statement.verb == Verb::rollback;
}

}  // namespace

const std::array<const char*, 6> guc_names = {
    "client_encoding", "DateStyle", "TimeZone", "standard_conforming_strings", "application_name", "IntervalStyle"};

Gucs default_gucs() { return {"utf8", "iso", "utc", "on", "none", "postgres"}; }

std::string canonical(std::string_view value) {
    if (value.starts_with('!')) return {};
    return std::string(value.starts_with('+') ? value.substr(1) : value);
}

ModelServer::ModelServer(Gucs gucs, ModelTraits traits)
    : traits_(traits),
      initial_(gucs),
      values_(gucs),
      committed_(gucs),
      reported_(std::move(gucs)) {}

bool ModelServer::has_work() const {
    if (has_ended_) return false;
    return (!queue_.empty() && !copy_) || whole_message(input_) > 0;
}

const Statement* ModelServer::next_statement() {
    if (copy_) return &copy_->statement;
    if (!queue_.empty()) return &queue_.front();
    const auto length = whole_message(input_);
    if (length == 0 || input_[0] != 'E' || skipping_) return nullptr;
    const auto portal = portals_.find(input_.substr(5, input_.find('\0', 5) - 5));
    return portal == portals_.end() ? nullptr : &portal->second.statement;
}

std::string ModelServer::next_run() {
    const Statement* statement = next_statement();
    if (statement == nullptr) return {};
    const auto run = fmt::format("{}:{}", statement->tag, runs_[statement->tag]);
    return copy_ ? fmt::format("{}:{}", run, copy_->messages) : run;
}

std::string ModelServer::next_step() {
    std::string text;
    if ((copy_ || queue_.empty()) && whole_message(input_) > 0) text = input_.substr(0, 1);
    const auto run = next_run();
    return run.empty() ? text : text + " " + run;
}

bool ModelServer::next_is_inert() const {
    if (copy_ || !queue_.empty() || whole_message(input_) == 0) return false;
    const char type = input_[0];
    return type == 'S' || type == 'd' || type == 'c' || type == 'f' || type == 'H' || type == 'X' || skipping_;
}

void ModelServer::step(bool canceled) {
    if (copy_ && canceled) return fail("57014", "canceling statement due to user request");
    if (!queue_.empty() && !copy_) {
        const Statement statement = std::move(queue_.front());
        queue_.pop_front();
        extended_ = false;
        run(statement, nullptr, 0, canceled);
        return;
    }
    const auto length = whole_message(input_);
    require(length > 0, "simulation: a step without work");
    const std::string message = input_.substr(0, length);
    input_.erase(0, length);
    if (copy_)
        on_copy_message(message[0]);
    else
        on_message(message[0], std::string_view(message).substr(5), canceled);
}

void ModelServer::on_message(char type, std::string_view body, bool canceled) {
    if (type == 'X') {
        has_ended_ = true;
        return;
    }
    if (type == 'S') return on_sync();
    if (type == 'd' || type == 'c' || type == 'f') return;  // what is left of a COPY that failed
    if (skipping_) return;
    extended_ = type != 'Q' && type != 'F';
    switch (type) {
        case 'Q': return on_query(take_text(body));
        case 'P': return on_parse(body);
        case 'B': return on_bind(body);
        case 'D': return on_describe(body);
        case 'E': return on_execute(body, canceled);
        case 'C': return on_close(body);
        case 'F': return on_function_call(body);
        case 'H': return;
        default: throw Failure(fmt::format("model: a message of type 0x{:02x}", static_cast<unsigned char>(type)));
    }
}

void ModelServer::on_query(std::string_view sql) {
    prepared_.erase("");
    const auto statements = parse_sql(sql);
    for (const Statement& statement : statements)
        if (statement.verb == Verb::bad_syntax) return fail("42601", "syntax error in " + statement.tag);
    if (statements.empty()) {
        emit(frame('I'));
        return finish_query();
    }
    queue_.assign(statements.begin(), statements.end());
}

// The one argument is the tag, with a '!' before it when the call is to fail.
void ModelServer::on_function_call(std::string_view body) {
    const Statement call{.verb = Verb::rows, .tag = std::string(body.substr(12, body.size() - 14))};
    if (is_refused_as_aborted(call)) return;
    ++session_statements_;
    if (status_ == 'T') ++block_statements_;
    executed.push_back(call.tag + ":0");
    if (call.tag.ends_with('!')) return fail("22000", "function failed: " + call.tag);
    std::string result;
    const auto text = state_text(call);
    append_int32(result, static_cast<std::int64_t>(text.size()));
    emit(frame('V', result + text));
    finish_query();
}

void ModelServer::on_sync() {
    const bool may_be_missing = doubtful_sync_ == 2;
    if (doubtful_sync_ > 0) doubtful_sync_ = doubtful_sync_ == 1 ? 2 : 0;
    skipping_ = false;
    end_implicit_transaction();
    ready(may_be_missing);
}

void ModelServer::on_copy_message(char type) {
    Copy& copy = *copy_;
    ++copy.messages;
    switch (type) {
        case 'd':
            ++copy.rows;
            if (copy.rows == copy.statement.numbers[0]) fail("22P02", "bad COPY data for " + copy.statement.tag);
            return;
        case 'f': return fail("57014", "COPY from stdin failed: " + copy.statement.tag);
        case 'c': {
            const Statement statement = copy.statement;
            copy_.reset();
            return complete(statement, "COPY");
        }
        case 'S': ++copy.syncs; return;
        case 'H': return;
        case 'X': has_ended_ = true; return;
        default:
            throw Failure(
                fmt::format("model: message type {} while it reads COPY data of {}", type, copy.statement.tag));
    }
}

bool ModelServer::is_refused_as_aborted(const Statement& statement) {
    if (status_ != 'E' || ends_transaction(statement)) return false;
    fail("25P02", "current transaction is aborted: " + statement.tag);
    return true;
}

// An error ends what runs: a Query at once, a series of the extended protocol at its Sync.
void ModelServer::fail(std::string_view sqlstate, std::string_view text) {
    emit(report_frame('E', "ERROR", sqlstate, text));
    if (copy_ && extended_ && copy_->statement.numbers[1] == 1 && copy_->syncs == 0) doubtful_sync_ = 1;
    copy_.reset();
    queue_.clear();
    portals_.clear();
    if (status_ == 'T') status_ = 'E';
    values_ = committed_;
    if (traits_.reports_at_once) report_changes();
    if (extended_)
        skipping_ = true;
    else
        finish_query();
}

void ModelServer::end_implicit_transaction() {
    if (status_ != 'I') return;
    committed_ = values_;
    portals_.clear();
}

void ModelServer::finish_query() {
    doubtful_sync_ = 0;
    end_implicit_transaction();
    ready(false);
}

void ModelServer::ready(bool may_be_missing) {
    report_changes();
    emit(frame('Z', std::string(1, status_)), may_be_missing);
}

void ModelServer::report_changes() {
    for (std::size_t i = 0; i < values_.size(); ++i) {
        if (values_[i] == reported_[i]) continue;
        reported_[i] = values_[i];
        emit(frame('S', zero_ended(guc_names[i]) + zero_ended(values_[i])));
    }
}

void ModelServer::change_setting(std::size_t guc, const std::string& value) {
    if (value == reported_[guc]) return;
    values_[guc] = committed_[guc] = initial_[guc] = reported_[guc] = value;
    emit(frame('S', zero_ended(guc_names[guc]) + zero_ended(value)));
}

}  // namespace pgweir::sim
