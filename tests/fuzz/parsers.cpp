#include "tests/fuzz/parsers.hpp"

#include <cstdio>

#include "protocol/frontend/cancel_request.hpp"
#include "protocol/frontend/gss_enc_request.hpp"
#include "protocol/frontend/ssl_request.hpp"
#include "protocol/frontend/start_up_packet.hpp"
#include "protocol/frontend/startup_message.hpp"
#include "tests/support/message_parsers.hpp"
#include "tests/support/vectors.hpp"

namespace pgweir::test {

namespace {

const char* folder_of(Sender sender) {
    switch (sender) {
        case Sender::frontend: return "frontend";
        case Sender::backend: return "backend";
        case Sender::start_up: return "start_up";
    }
    return "";
}

std::string vector_file(Sender sender) {
    return sender == Sender::start_up ? "startup_packets.txt" : std::string(folder_of(sender)) + "_messages.txt";
}

std::string body_of(Sender sender, const Vector& vector) {
    return std::string(sender == Sender::start_up ? packet_body(vector.bytes) : frame_body(vector.bytes));
}

// The vectors of one message, the bad ones too; of all messages of this sender if no message is named.
std::vector<Seed> vector_seeds(Sender sender, std::string_view message) {
    std::vector<Seed> seeds;
    const auto add = [&](const Vector& vector, const std::string& prefix) {
        if (message.empty() || vector.message() == message) seeds.push_back({prefix + vector.name, body_of(sender, vector)});
    };
    for (const auto& vector : load_vectors(vector_file(sender))) add(vector, "");
    for (const auto& vector : load_bad_vectors("bad_" + vector_file(sender))) add(vector, "bad_");
    return seeds;
}

void fuzz_message(const MessageParser& parser, Bytes body) {
    const auto result = parser.round_trip(body);
    if (result.error != ProtocolError::none) return;
    require(result.body == body, "a message is written as it was read");
    require(result.faithful, "what is written parses to an equal message");
}

void fuzz_start_up_packet(Bytes body) {
    using namespace frontend;
    const auto kind = classify_start_up_packet(BodyReader(body));
    const auto is = [&](StartUpKind wanted) { return kind && *kind == wanted; };
    const auto agree = [&](bool parses, StartUpKind wanted) {
        require(!parses || is(wanted), "a start-up packet that parses is classified as what it is");
    };
    agree(StartupMessage::parse(BodyReader(body)).has_value(), StartUpKind::startup_message);
    agree(SslRequest::parse(BodyReader(body)).has_value(), StartUpKind::ssl_request);
    agree(GssEncRequest::parse(BodyReader(body)).has_value(), StartUpKind::gss_enc_request);
    agree(CancelRequest::parse(BodyReader(body)).has_value(), StartUpKind::cancel_request);
}

std::vector<FuzzParser> all_parsers() {
    std::vector<FuzzParser> parsers{
        {"start_up.classify", fuzz_start_up_packet, [] { return vector_seeds(Sender::start_up, ""); }},
    };
    for (auto&& rows : {stream_parsers(), configuration_parsers(), scram_parsers(), login_parsers(), session_parsers()})
        parsers.insert(parsers.end(), rows.begin(), rows.end());
    for (const auto& parser : message_parsers())
        parsers.push_back({
            std::string(folder_of(parser.sender)) + "." + std::string(parser.name),
            [&parser](Bytes body) { fuzz_message(parser, body); },
            [&parser] { return vector_seeds(parser.sender, parser.name); },
        });
    return parsers;
}

}  // namespace

const std::vector<FuzzParser>& fuzz_parsers() {
    static const auto parsers = all_parsers();
    return parsers;
}

std::vector<Seed> wire_seeds(const std::string& vector_file) {
    std::vector<Seed> seeds;
    for (const auto& vector : load_vectors(vector_file)) seeds.push_back({vector.name, vector.bytes});
    for (const auto& vector : load_bad_vectors("bad_" + vector_file)) seeds.push_back({"bad_" + vector.name, vector.bytes});
    return seeds;
}

void require(bool holds, const char* claim) {
    if (holds) return;
    std::fprintf(stderr, "does not hold: %s\n", claim);
    __builtin_trap();
}

}  // namespace pgweir::test
