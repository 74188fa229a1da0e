// Fields of client messages land where they belong.

#include <vector>

#include "protocol/frontend/bind.hpp"
#include "protocol/frontend/close.hpp"
#include "protocol/frontend/describe.hpp"
#include "protocol/frontend/execute.hpp"
#include "protocol/frontend/function_call.hpp"
#include "protocol/frontend/parse.hpp"
#include "protocol/frontend/password_message.hpp"
#include "protocol/frontend/query.hpp"
#include "protocol/frontend/sasl_initial_response.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"
#include "tests/support/vectors.hpp"

namespace pgweir::test {

using namespace frontend;

namespace {

std::string body_of(std::string_view name) {
    return std::string(frame_body(load_vector("frontend_messages.txt", name).bytes));
}

}  // namespace

TEST_CASE("Bind names its portal and statement and gives each value, NULL apart from empty") {
    const auto body = body_of("bind.text_values");
    const auto bind = Bind::parse(BodyReader(body));
    REQUIRE(bind);
    CHECK(bind->portal == "p1");
    CHECK(bind->statement == "s1");
    CHECK(bind->parameter_formats.empty());

    std::vector<std::optional<Bytes>> values;
    for (const auto& value : bind->values) values.push_back(value);
    CHECK(values == std::vector<std::optional<Bytes>>{"42", std::nullopt, ""});
}

TEST_CASE("Bind under another statement name keeps all else") {
    const auto body = body_of("bind.formats_one_each");
    auto bind = Bind::parse(BodyReader(body));
    REQUIRE(bind);
    bind->statement = "pgweir_1";
    const auto renamed = to_message(*bind);
    const auto again = Bind::parse(BodyReader(frame_body(renamed)));
    REQUIRE(again);
    CHECK(*again == *bind);
    CHECK(again->statement == "pgweir_1");
    CHECK(again->values.size() == 2);
    CHECK(again->result_formats.size() == 3);
}

TEST_CASE("Parse gives name, SQL and types") {
    const auto body = body_of("parse.typed");
    const auto parse = Parse::parse(BodyReader(body));
    REQUIRE(parse);
    CHECK(parse->statement == "s1");
    CHECK(parse->sql == "select $1 + $2");
    std::vector<Oid> types;
    for (const Oid type : parse->parameter_types) types.push_back(type);
    CHECK(types == std::vector<Oid>{23, 20});
}

TEST_CASE("Close and Describe tell a statement from a portal") {
    const auto close = body_of("close.statement");
    const auto describe = body_of("describe.portal");
    CHECK(Close::parse(BodyReader(close)) == Close{Target::statement, "s1"});
    CHECK(Describe::parse(BodyReader(describe)) == Describe{Target::portal, "p1"});
}

TEST_CASE("Execute gives its row limit") {
    const auto body = body_of("execute.ten_rows");
    CHECK(Execute::parse(BodyReader(body)) == Execute{"p1", 10});
}

TEST_CASE("FunctionCall gives function, arguments and formats") {
    const auto body = body_of("function_call.null_argument");
    const auto call = FunctionCall::parse(BodyReader(body));
    REQUIRE(call);
    CHECK(call->function == 957);
    CHECK(call->argument_formats.size() == 2);
    CHECK(call->arguments.size() == 2);
    CHECK(call->result_format == text_format);
}

TEST_CASE("a first SASL response may be missing, which is not the same as empty") {
    const auto missing_body = body_of("sasl_initial_response.no_response");
    const auto missing = SaslInitialResponse::parse(BodyReader(missing_body));
    REQUIRE(missing);
    CHECK(missing->mechanism == "SCRAM-SHA-256");
    CHECK(missing->response == std::nullopt);

    const auto empty_body = body_of("sasl_initial_response.empty_response");
    const auto empty = SaslInitialResponse::parse(BodyReader(empty_body));
    REQUIRE(empty);
    CHECK(empty->response == Bytes());
}

TEST_CASE("a query and a password are their text without the NUL") {
    const auto query = body_of("query.begin");
    const auto password = body_of("password_message.cleartext");
    CHECK(Query::parse(BodyReader(query)) == Query{"begin"});
    CHECK(PasswordMessage::parse(BodyReader(password)) == PasswordMessage{"secret"});
}

}  // namespace pgweir::test
