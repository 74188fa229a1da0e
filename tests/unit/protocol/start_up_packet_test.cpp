#include "protocol/frontend/start_up_packet.hpp"

#include <map>

#include "protocol/frontend/cancel_request.hpp"
#include "protocol/frontend/startup_message.hpp"
#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"
#include "tests/support/vectors.hpp"

namespace pgweir::test {

using namespace frontend;

namespace {

Result<StartUpKind> classify(Bytes body) { return classify_start_up_packet(BodyReader(body)); }

std::string code_bytes(std::int32_t code) {
    std::string out;
    BodyWriter(out).int32(code);
    return out;
}

}  // namespace

TEST_CASE("every start-up packet is told from the others") {
    const std::map<std::string_view, StartUpKind> kinds = {
        {"startup_message", StartUpKind::startup_message},
        {"ssl_request", StartUpKind::ssl_request},
        {"gss_enc_request", StartUpKind::gss_enc_request},
        {"cancel_request", StartUpKind::cancel_request},
    };
    for (const auto& vector : load_vectors("startup_packets.txt")) {
        INFO(vector.name);
        CHECK(classify(packet_body(vector.bytes)) == kinds.at(vector.message()));
    }
}

TEST_CASE("protocol 2.0 is recognised, any other unknown version refused") {
    CHECK(classify(code_bytes(2 << 16)) == StartUpKind::old_protocol);
    CHECK(classify(code_bytes(2 << 16 | 1)) == ProtocolError::bad_start_up_code);
    CHECK(classify(code_bytes(4 << 16)) == ProtocolError::bad_start_up_code);
    CHECK(classify(code_bytes(0)) == ProtocolError::bad_start_up_code);
    CHECK(classify(code_bytes(-1)) == ProtocolError::bad_start_up_code);
    CHECK(classify(code_bytes(80877105)) == ProtocolError::bad_start_up_code);
}

TEST_CASE("a packet without a whole code is short") {
    CHECK(classify("") == ProtocolError::short_body);
    CHECK(classify(code_bytes(3 << 16).substr(0, 3)) == ProtocolError::short_body);
}

TEST_CASE("start-up parameters keep their order and may be empty") {
    const auto vector = load_vector("startup_packets.txt", "startup_message.settings");
    const auto startup = StartupMessage::parse(BodyReader(packet_body(vector.bytes)));
    REQUIRE(startup);
    CHECK(startup->version == protocol_3_0);

    std::vector<std::string> names;
    for (const auto& parameter : startup->parameters) names.emplace_back(parameter.name);
    CHECK(names == std::vector<std::string>{"user", "application_name", "client_encoding", "options"});
    CHECK(startup->parameter("application_name") == Bytes());
    CHECK(startup->parameter("options") == Bytes("-c geqo=off"));
    CHECK(startup->parameter("database") == std::nullopt);
}

TEST_CASE("of a repeated start-up parameter the last counts") {
    const auto vector = load_vector("startup_packets.txt", "startup_message.repeated_name");
    const auto startup = StartupMessage::parse(BodyReader(packet_body(vector.bytes)));
    REQUIRE(startup);
    CHECK(startup->parameters.size() == 2);
    CHECK(startup->parameter("user") == Bytes("bob"));
}

TEST_CASE("a version is split into major and minor") {
    CHECK(protocol_3_2.major_version() == 3);
    CHECK(protocol_3_2.minor_version() == 2);
    CHECK(protocol_3_0 < protocol_3_2);
    CHECK(ProtocolVersion{-1}.major_version() == 65535);
}

TEST_CASE("a cancel request carries the key it was given") {
    const auto vector = load_vector("startup_packets.txt", "cancel_request.protocol_3_0");
    const auto cancel = CancelRequest::parse(BodyReader(packet_body(vector.bytes)));
    REQUIRE(cancel);
    CHECK(cancel->process_id == 4711);
    CHECK(cancel->secret == "\xa1\xb2\xc3\xd4");
}

}  // namespace pgweir::test
