// What holds for every message of the protocol, over the vectors in tests/vectors/.

#include <set>

#include "tests/support/catch.hpp"
#include "tests/support/message_parsers.hpp"
#include "tests/support/protocol_printing.hpp"
#include "tests/support/vectors.hpp"

namespace pgweir::test {

namespace {

struct VectorFile {
    Sender sender;
    std::string name;

    Bytes body(const Vector& vector) const {
        return sender == Sender::start_up ? packet_body(vector.bytes) : frame_body(vector.bytes);
    }
};

const std::vector<VectorFile> vector_files = {
    {Sender::start_up, "startup_packets.txt"},
    {Sender::frontend, "frontend_messages.txt"},
    {Sender::backend, "backend_messages.txt"},
};

// Calls `check` with each valid vector, its body and its parser.
template <class Check>
void for_each_valid_vector(Check check) {
    for (const auto& file : vector_files)
        for (const auto& vector : load_vectors(file.name)) {
            INFO(file.name << ": " << vector.name);
            check(vector, file.body(vector), message_parser(file.sender, vector.message()));
        }
}

}  // namespace

TEST_CASE("every message has a valid vector and, if its bytes can be wrong, a bad one") {
    std::set<std::pair<Sender, std::string>> valid;
    std::set<std::pair<Sender, std::string>> bad;
    for (const auto& file : vector_files) {
        for (const auto& vector : load_vectors(file.name)) valid.emplace(file.sender, vector.message());
        for (const auto& vector : load_bad_vectors("bad_" + file.name)) bad.emplace(file.sender, vector.message());
    }
    for (const auto& parser : message_parsers()) {
        INFO(parser.name);
        const std::pair key{parser.sender, std::string(parser.name)};
        CHECK(valid.contains(key));
        const bool is_opaque = parser.name == "copy_data" || parser.name == "sasl_response";
        CHECK(bad.contains(key) == !is_opaque);
    }
}

TEST_CASE("a valid message parses and serializes to the same bytes") {
    for_each_valid_vector([](const Vector&, Bytes body, const MessageParser& parser) {
        const auto result = parser.round_trip(body);
        CHECK(result.error == ProtocolError::none);
        CHECK(result.body == body);
        CHECK(result.faithful);
    });
}

TEST_CASE("a message's type byte is the one on the wire") {
    for_each_valid_vector([](const Vector& vector, Bytes, const MessageParser& parser) {
        if (parser.sender != Sender::start_up) CHECK(vector.bytes.front() == parser.type);
    });
}

TEST_CASE("a body cut short is refused, or is another message where the last field is open-ended") {
    for_each_valid_vector([](const Vector&, Bytes body, const MessageParser& parser) {
        for (const auto& [head, tail] : every_cut(body)) {
            if (tail.empty()) continue;
            const auto result = parser.round_trip(head);
            INFO("cut to " << head.size() << " bytes");
            if (result.error == ProtocolError::none) {
                CHECK(parser.open_ended);
                CHECK(result.body == head);
            } else {
                CHECK(result.error != ProtocolError::trailing_bytes);
            }
        }
    });
}

TEST_CASE("a byte behind the last field is refused, unless that field is open-ended") {
    for_each_valid_vector([](const Vector&, Bytes body, const MessageParser& parser) {
        for (const char extra : {'\0', 'x', '\xff'}) {
            const std::string longer = std::string(body) + extra;
            const auto result = parser.round_trip(longer);
            if (result.error == ProtocolError::none) {
                CHECK(parser.open_ended);
                CHECK(result.body == longer);
            }
        }
    });
}

TEST_CASE("a bad message is refused for the right reason") {
    for (const auto& file : vector_files)
        for (const auto& vector : load_bad_vectors("bad_" + file.name)) {
            INFO(file.name << ": " << vector.name);
            const auto result = message_parser(file.sender, vector.message()).round_trip(file.body(vector));
            CHECK(result.error == vector.error);
        }
}

TEST_CASE("each protocol error has a text of its own") {
    std::set<std::string_view> texts;
    const auto last = static_cast<int>(ProtocolError::bad_sasl);
    for (int error = 0; error <= last; ++error) texts.insert(to_string(static_cast<ProtocolError>(error)));
    CHECK(texts.size() == static_cast<std::size_t>(last) + 1);
    CHECK_FALSE(texts.contains("unknown protocol error"));
}

}  // namespace pgweir::test
