// The model's prepared statements and portals: Parse, Bind, Describe, Execute, Close.
#include <utility>

#include "tests/sim/failure.hpp"
#include "tests/sim/frames.hpp"
#include "tests/sim/model_server.hpp"

namespace pgweir::sim {
namespace {

bool gives_rows(const Statement& statement) { return statement.verb == Verb::rows || statement.verb == Verb::sleep; }

}  // namespace

// In PostgreSQL's order: what is wrong with the text, then with the transaction, then with the name. The unnamed statement
// goes with the next Parse for it, whatever becomes of that.
void ModelServer::on_parse(std::string_view body) {
    const auto name = take_text(body);
    if (name.empty()) prepared_.erase("");
    const auto statements = parse_sql(take_text(body));
    const Statement statement = statements.empty() ? Statement{} : statements.front();
    if (statements.size() > 1 || statement.verb == Verb::bad_syntax)
        return fail("42601", "syntax error in " + statement.tag);
    if (!statements.empty() && is_refused_as_aborted(statement)) return;
    if (prepared_.contains(name)) return fail("42P05", fmt::format("prepared statement \"{}\" already exists", name));
    prepared_[name] = statement;
    emit(frame('1'));
}

void ModelServer::on_bind(std::string_view body) {
    const auto portal = take_text(body);
    const Statement* prepared = find_prepared(take_text(body));
    if (prepared == nullptr || is_refused_as_aborted(*prepared)) return;
    if (!portal.empty() && portals_.contains(portal)) return fail("42P03", "portal already exists");
    Statement statement = *prepared;
    const int formats = take_int(body, 2);
    require(formats == 0, "model: a Bind with formats");
    if (take_int(body, 2) > 0) {
        const auto length = take_int(body, 4);
        statement.text = std::exchange(statement.tag, body.substr(0, static_cast<std::size_t>(length)));
    }
    portals_[portal] = {.statement = std::move(statement)};
    emit(frame('2'));
}

// Null: there is none, and the client has been told.
const Statement* ModelServer::find_prepared(const std::string& name) {
    const auto found = prepared_.find(name);
    if (found != prepared_.end()) return &found->second;
    fail("26000", name.empty() ? "unnamed prepared statement does not exist"
                               : fmt::format("prepared statement \"{}\" does not exist", name));
    return nullptr;
}

void ModelServer::on_describe(std::string_view body) {
    const char target = body[0];
    body.remove_prefix(1);
    const auto name = take_text(body);
    const Statement* statement = nullptr;
    if (target == 'S') {
        statement = find_prepared(name);
        if (statement == nullptr) return;
    } else {
        const auto found = portals_.find(name);
        if (found == portals_.end()) return fail("34000", "portal does not exist");
        statement = &found->second.statement;
    }
    if (gives_rows(*statement) && is_refused_as_aborted(*statement)) return;
    if (target == 'S') emit(frame('t', std::string(2, '\0')));
    emit(gives_rows(*statement) ? row_description() : frame('n'));
}

void ModelServer::on_execute(std::string_view body, bool canceled) {
    const auto found = portals_.find(take_text(body));
    if (found == portals_.end()) return fail("34000", "portal does not exist");
    const int limit = take_int(body, 4);
    const Statement statement = found->second.statement;
    if (statement.verb == Verb::empty) return emit(frame('I'));
    run(statement, &found->second, limit, canceled);
}

void ModelServer::on_close(std::string_view body) {
    const char target = body[0];
    body.remove_prefix(1);
    if (target == 'S')
        prepared_.erase(take_text(body));
    else
        portals_.erase(take_text(body));
    emit(frame('3'));
}

}  // namespace pgweir::sim
