// Fields of server messages land where they belong.

#include <algorithm>
#include <vector>

#include "protocol/backend/authentication.hpp"
#include "protocol/backend/backend_key_data.hpp"
#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/copy_in_response.hpp"
#include "protocol/backend/data_row.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/negotiate_protocol_version.hpp"
#include "protocol/backend/notification_response.hpp"
#include "protocol/backend/parameter_status.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/backend/row_description.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"
#include "tests/support/vectors.hpp"

namespace pgweir::test {

using namespace backend;

namespace {

std::string body_of(std::string_view name) {
    return std::string(frame_body(load_vector("backend_messages.txt", name).bytes));
}

// The request a vector holds, if it is of this kind.
template <class Request>
std::optional<Request> request_in(Bytes body) {
    const auto message = Authentication::parse(BodyReader(body));
    if (!message) return std::nullopt;
    const auto* request = std::get_if<Request>(&message->request);
    return request == nullptr ? std::nullopt : std::optional(*request);
}

}  // namespace

TEST_CASE("each authentication request is told from the others") {
    CHECK(request_in<AuthenticationOk>(body_of("authentication.ok")));
    CHECK(request_in<AuthenticationCleartextPassword>(body_of("authentication.cleartext_password")));

    const auto md5 = request_in<AuthenticationMd5Password>(body_of("authentication.md5_password"));
    REQUIRE(md5);
    CHECK(md5->salt == std::array{'\x00', '\xff', '\x10', '\xa7'});

    const auto sasl_body = body_of("authentication.sasl");
    const auto sasl = request_in<AuthenticationSasl>(sasl_body);
    REQUIRE(sasl);
    std::vector<Bytes> mechanisms;
    for (const auto& mechanism : sasl->mechanisms) mechanisms.push_back(mechanism);
    CHECK(mechanisms == std::vector<Bytes>{"SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"});

    const auto continue_body = body_of("authentication.sasl_continue");
    const auto sasl_continue = request_in<AuthenticationSaslContinue>(continue_body);
    REQUIRE(sasl_continue);
    CHECK(sasl_continue->data.starts_with("r=rOprNGfwEbeRWgbNEkqO"));

    const auto final_body = body_of("authentication.sasl_final");
    const auto sasl_final = request_in<AuthenticationSaslFinal>(final_body);
    REQUIRE(sasl_final);
    CHECK(sasl_final->data.starts_with("v="));
}

TEST_CASE("an authentication request that pgweir does not speak is named") {
    const auto body = body_of("authentication.gss_continue");
    const auto request = request_in<AuthenticationUnsupported>(body);
    REQUIRE(request);
    CHECK(request->code == AuthenticationCode::gss_continue);
    CHECK(request->data == "token");
}

TEST_CASE("an authentication request written alone is the one read") {
    const auto vector = load_vector("backend_messages.txt", "authentication.sasl");
    NameListBuilder mechanisms;
    mechanisms.add("SCRAM-SHA-256-PLUS").add("SCRAM-SHA-256");
    CHECK(to_message(AuthenticationSasl{mechanisms.view()}) == vector.bytes);
}

TEST_CASE("an error's fields are found by their code") {
    const auto body = body_of("error_response.undefined_table");
    const auto error = ErrorResponse::parse(BodyReader(body));
    REQUIRE(error);
    CHECK(error->fields.size() == 8);
    CHECK(error->fields.field(error_field::sqlstate) == "42P01");
    CHECK(error->fields.field(error_field::message) == "relation \"t\" does not exist");
    CHECK(error->fields.field(error_field::hint).empty());
}

TEST_CASE("a field code that nobody knows is passed over") {
    const auto body = body_of("error_response.unknown_field");
    const auto error = ErrorResponse::parse(BodyReader(body));
    REQUIRE(error);
    CHECK(error->fields.field(error_field::message) == "odd");
}

TEST_CASE("an error built from fields is the one on the wire") {
    ErrorFieldsBuilder fields;
    fields.add({error_field::severity, "FATAL"})
        .add({error_field::severity_nonlocalized, "FATAL"})
        .add({error_field::sqlstate, "57P01"})
        .add({error_field::message, "terminating connection due to administrator command"});
    CHECK(to_message(ErrorResponse{fields.view()}) == load_vector("backend_messages.txt", "error_response.fatal").bytes);
}

TEST_CASE("ReadyForQuery tells the three states of a transaction apart") {
    const auto idle = body_of("ready_for_query.idle");
    const auto in_transaction = body_of("ready_for_query.in_transaction");
    const auto failed = body_of("ready_for_query.failed");
    CHECK(ReadyForQuery::parse(BodyReader(idle)) == ReadyForQuery{TransactionStatus::idle});
    CHECK(ReadyForQuery::parse(BodyReader(in_transaction)) == ReadyForQuery{TransactionStatus::in_transaction});
    CHECK(ReadyForQuery::parse(BodyReader(failed)) == ReadyForQuery{TransactionStatus::failed});
}

TEST_CASE("a row description gives each column whole") {
    const auto body = body_of("row_description.table");
    const auto description = RowDescription::parse(BodyReader(body));
    REQUIRE(description);
    std::vector<Column> columns;
    for (const auto& column : description->columns) columns.push_back(column);
    const Column id{.name = "id", .table = 16384, .attribute = 1, .type = 20, .type_size = 8};
    const Column name{
        .name = "name", .table = 16384, .attribute = 2, .type = 1043, .type_modifier = 68, .format = binary_format};
    CHECK(columns == std::vector<Column>{id, name});
}

TEST_CASE("a row of our own is a row that a client can read") {
    ValueListBuilder values;
    values.add("1").add(std::nullopt).add("").add("two");
    CHECK(to_message(DataRow{values.view()}) == load_vector("backend_messages.txt", "data_row.values").bytes);

    ColumnListBuilder columns;
    columns.add({.name = "?column?", .type = 23, .type_size = 4});
    const auto description = load_vector("backend_messages.txt", "row_description.expression");
    CHECK(to_message(RowDescription{columns.view()}) == description.bytes);
}

TEST_CASE("NegotiateProtocolVersion names the options not known") {
    const auto body = body_of("negotiate_protocol_version.options");
    const auto negotiate = NegotiateProtocolVersion::parse(BodyReader(body));
    REQUIRE(negotiate);
    CHECK(negotiate->newest == protocol_3_2);
    CHECK(negotiate->unknown_options.size() == 2);
    CHECK(*negotiate->unknown_options.begin() == "_pq_.compression");
}

TEST_CASE("the other fields of server messages land where they belong") {
    const auto status = body_of("parameter_status.time_zone");
    CHECK(ParameterStatus::parse(BodyReader(status)) == ParameterStatus{"TimeZone", "Europe/Berlin"});

    const auto tag = body_of("command_complete.insert");
    CHECK(CommandComplete::parse(BodyReader(tag)) == CommandComplete{"INSERT 0 1"});

    const auto notification = body_of("notification_response.payload");
    CHECK(NotificationResponse::parse(BodyReader(notification)) == NotificationResponse{4711, "jobs", "42"});

    const auto key = body_of("backend_key_data.protocol_3_2");
    const auto key_data = BackendKeyData::parse(BodyReader(key));
    REQUIRE(key_data);
    CHECK(key_data->process_id == 4711);
    CHECK(key_data->secret.size() == 32);

    const auto copy = body_of("copy_in_response.binary");
    const auto copy_in = CopyInResponse::parse(BodyReader(copy));
    REQUIRE(copy_in);
    CHECK(copy_in->format == CopyFormat::binary);
    CHECK(copy_in->column_formats.size() == 1);
}

}  // namespace pgweir::test
