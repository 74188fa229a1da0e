// A stream is given in chunks; what the scanner takes off it is held against a reading of the whole stream at once.
#include "protocol/frame_scanner.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "tests/support/catch.hpp"
#include "tests/support/protocol_printing.hpp"
#include "tests/support/vectors.hpp"

namespace pgweir::test {
namespace {

constexpr FrameRules whole_rules{
    .known = {'A', 'B', 'G', 'R', 'r'}, .gathered = {'G'}, .runs = {'R', 'r'}, .gather_limit = 64};
constexpr FrameRules plain_rules{.known = {'A', 'B', 'G', 'R', 'r'}, .gathered = {}, .runs = {}};

std::string header(char type, std::uint32_t length_field) {
    std::string out(1, type);
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(length_field >> shift & 0xff));
    return out;
}

// A message whose body counts up, so that a byte out of place is seen.
std::string message(char type, std::uint32_t body_bytes) {
    std::string out = header(type, body_bytes + 4);
    for (std::uint32_t i = 0; i < body_bytes; ++i) out.push_back(static_cast<char>('a' + i % 26));
    return out;
}

struct Message {
    std::size_t begin;
    std::size_t end;
    char type;
};

// Where the messages of a whole stream lie; the last one may be cut off.
std::vector<Message> messages_of(Bytes stream) {
    std::vector<Message> messages;
    for (std::size_t at = 0; at + frame_header_bytes <= stream.size();) {
        std::size_t length = 0;
        for (std::size_t i = 1; i < frame_header_bytes; ++i)
            length = length << 8 | static_cast<unsigned char>(stream[at + i]);
        messages.push_back({at, at + 1 + length, stream[at]});
        at += 1 + length;
    }
    return messages;
}

struct Piece {
    std::size_t offset;
    Frame frame;
};

struct Scan {
    std::vector<Piece> pieces;
    std::size_t left = 0;  // bytes not taken
    bool leftovers_were_small = true;
    bool at_boundary = false;
    ProtocolError error = ProtocolError::none;
};

// Gives the stream as it would come from a socket: what a chunk leaves is given again with the next one behind it.
Scan scan(Bytes stream, const std::vector<std::size_t>& ends, const FrameRules& rules) {
    Scan result;
    FrameScanner scanner;
    std::size_t taken = 0;
    for (const std::size_t end : ends) {
        Bytes input = stream.substr(taken, end - taken);
        Frame piece;
        ScanStatus status{};
        while ((status = scanner.next(input, rules, piece)) == ScanStatus::piece) {
            result.pieces.push_back({taken, piece});
            taken += piece.bytes.size();
        }
        result.leftovers_were_small &= input.size() < std::max(frame_header_bytes, rules.gather_limit);
        result.error = scanner.error();
        if (status == ScanStatus::error) break;
    }
    result.left = ends.back() - taken;
    result.at_boundary = scanner.at_boundary();
    return result;
}

const Message& message_at(const std::vector<Message>& messages, std::size_t offset) {
    return *std::find_if(messages.begin(), messages.end(), [&](const Message& m) { return offset < m.end; });
}

bool ends_at(const std::vector<Message>& messages, std::size_t offset) {
    return std::any_of(messages.begin(), messages.end(), [&](const Message& m) { return offset == m.end; });
}

// One piece against the messages that it is made of.
void check_piece(Bytes stream, const std::vector<Message>& messages, const Piece& piece, const FrameRules& rules) {
    const auto& [offset, frame] = piece;
    const std::size_t end = offset + frame.bytes.size();
    const Message& first = message_at(messages, offset);
    const Message& last = message_at(messages, end - 1);
    CHECK(frame.bytes == stream.substr(offset, frame.bytes.size()));
    CHECK(frame.type == first.type);
    CHECK(frame.begins == (offset == first.begin));
    CHECK(frame.ends == ends_at(messages, end));
    if (frame.begins) CHECK(frame.length == first.end - first.begin);
    if (first.begin != last.begin) {
        CHECK(rules.runs.contains(first.type));
        CHECK(rules.runs.contains(last.type));
    }
    if (frame.begins && rules.gathered.contains(first.type))
        CHECK(frame.bytes.size() >= std::min<std::size_t>(first.end - first.begin, rules.gather_limit));
    if (frame.begins) CHECK(frame.bytes.size() >= frame_header_bytes);
}

void check_scan(Bytes stream, const std::vector<std::size_t>& ends, const FrameRules& rules) {
    const auto messages = messages_of(stream);
    const Scan result = scan(stream, ends, rules);
    REQUIRE(result.error == ProtocolError::none);
    std::size_t joined = 0;
    for (const Piece& piece : result.pieces) {
        REQUIRE(!piece.frame.bytes.empty());
        CHECK(piece.offset == joined);
        check_piece(stream, messages, piece, rules);
        joined += piece.frame.bytes.size();
    }
    CHECK(result.leftovers_were_small);
    CHECK(joined + result.left == stream.size());
    CHECK(result.at_boundary == (joined == 0 || ends_at(messages, joined)));
    const bool is_whole = !messages.empty() && messages.back().end == stream.size();
    if (is_whole) CHECK(result.left == 0);
}

void check_every_cut(Bytes stream, const FrameRules& rules) {
    for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
        INFO("cut at " << cut);
        check_scan(stream, {cut, stream.size()}, rules);
    }
    std::vector<std::size_t> every_byte;
    for (std::size_t end = 1; end <= stream.size(); ++end) every_byte.push_back(end);
    INFO("byte by byte");
    check_scan(stream, every_byte, rules);
}

std::string stream_of(const std::vector<std::string>& messages) {
    std::string stream;
    for (const auto& one : messages) stream += one;
    return stream;
}

std::vector<std::string> streams() {
    return {
        message('A', 0),
        message('A', 1) + message('B', 0) + message('A', 7),
        message('G', 3) + message('G', 58) + message('G', 59) + message('G', 60) + message('G', 200),
        message('R', 0) + message('R', 5) + message('r', 30) + message('R', 1),
        stream_of({message('A', 2), message('R', 9), message('r', 0), message('B', 4), message('R', 3),
                   message('G', 70), message('R', 12), message('R', 0), message('A', 0)}),
        message('R', 20) + message('R', 20).substr(0, 3),
        message('A', 4) + message('G', 40).substr(0, 30),
        message('B', 4) + message('B', 90).substr(0, 60),
    };
}

}  // namespace

TEST_CASE("a stream gives the same messages however it is cut") {
    for (const auto& stream : streams()) {
        CAPTURE(messages_of(stream).size(), stream.size());
        check_every_cut(stream, whole_rules);
        check_every_cut(stream, plain_rules);
    }
}

TEST_CASE("a stream cut in three gives the same messages") {
    const std::string stream = message('G', 6) + message('R', 8) + message('r', 2) + message('A', 1);
    for (std::size_t first = 0; first <= stream.size(); ++first)
        for (std::size_t second = first; second <= stream.size(); ++second)
            check_scan(stream, {first, second, stream.size()}, whole_rules);
}

TEST_CASE("every known backend message passes whole and in pieces") {
    FrameRules rules;
    for (char type = 1; type < 127; ++type) rules.known.add(type);
    rules.gathered = rules.known;
    for (const auto& vector : load_vectors("backend_messages.txt")) {
        INFO(vector.name);
        check_every_cut(vector.bytes, rules);
    }
}

TEST_CASE("neighbouring messages of run types leave as one piece") {
    const std::string run = message('R', 10) + message('r', 0) + message('R', 3);
    const std::string stream = message('A', 1) + run + message('B', 2);
    const auto result = scan(stream, {stream.size()}, whole_rules);
    REQUIRE(result.pieces.size() == 3);
    CHECK(result.pieces[1].frame.bytes == run);
    CHECK(result.pieces[1].frame.begins);
    CHECK(result.pieces[1].frame.ends);
    CHECK(result.pieces[1].frame.length == 15);
}

TEST_CASE("a run goes on behind the rest of a message that was cut") {
    const std::string stream = message('R', 10) + message('R', 4) + message('A', 0);
    const auto result = scan(stream, {8, stream.size()}, whole_rules);
    REQUIRE(result.pieces.size() == 3);
    CHECK_FALSE(result.pieces[0].frame.ends);
    CHECK_FALSE(result.pieces[1].frame.begins);
    CHECK(result.pieces[1].frame.ends);
    CHECK(result.pieces[1].frame.bytes.size() == 7 + 9);
}

TEST_CASE("a run that ends inside a message says so") {
    const std::string stream = message('R', 4) + message('R', 10).substr(0, 9);
    const auto result = scan(stream, {stream.size()}, whole_rules);
    REQUIRE(result.pieces.size() == 1);
    CHECK(result.pieces[0].frame.bytes == stream);
    CHECK_FALSE(result.pieces[0].frame.ends);
    CHECK_FALSE(result.at_boundary);
}

TEST_CASE("a run does not take the beginning of a gathered message that is not all there") {
    FrameRules rules = whole_rules;
    rules.runs.add('G');
    const std::string rows = message('R', 4) + message('G', 3);
    const std::string stream = rows + message('G', 20).substr(0, 9);
    const auto result = scan(stream, {stream.size()}, rules);
    REQUIRE(result.pieces.size() == 1);
    CHECK(result.pieces[0].frame.bytes == rows);
    CHECK(result.pieces[0].frame.ends);
    CHECK(result.left == 9);
}

TEST_CASE("a message of another type never joins a run") {
    const std::string stream = message('A', 4) + message('A', 4);
    CHECK(scan(stream, {stream.size()}, whole_rules).pieces.size() == 2);
}

TEST_CASE("a gathered message waits until it is whole") {
    const std::string stream = message('G', 30);
    FrameScanner scanner;
    Frame piece;
    for (std::size_t size = 0; size < stream.size(); ++size) {
        Bytes input = Bytes(stream).substr(0, size);
        REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::more);
        CHECK(input.size() == size);
    }
    Bytes input = stream;
    REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::piece);
    CHECK(piece.bytes == stream);
    CHECK(piece.body() == Bytes(stream).substr(5));
}

TEST_CASE("a gathered message longer than the limit begins with the limit's bytes") {
    const std::string stream = message('G', 500);
    FrameScanner scanner;
    Frame piece;
    Bytes input = Bytes(stream).substr(0, whole_rules.gather_limit - 1);
    CHECK(scanner.next(input, whole_rules, piece) == ScanStatus::more);
    input = Bytes(stream).substr(0, whole_rules.gather_limit);
    REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::piece);
    CHECK(piece.bytes.size() == whole_rules.gather_limit);
    CHECK_FALSE(piece.ends);
}

TEST_CASE("a message of any length up to 1 GiB passes in slices of what is there") {
    const std::string chunk(1 << 20, 'x');
    for (const char type : {'A', 'G', 'R'}) {
        for (const std::uint32_t length : {std::uint32_t{1} << 24, message_length_max}) {
            CAPTURE(type, length);
            FrameScanner scanner;
            Frame piece;
            const std::string start = header(type, length) + std::string(whole_rules.gather_limit, 'x');
            Bytes input = start;
            REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::piece);
            CHECK(piece.length == length + 1);
            std::uint64_t left = std::uint64_t{length} + 1 - piece.bytes.size();
            while (left > 0) {
                REQUIRE_FALSE(scanner.at_boundary());
                input = Bytes(chunk).substr(0, std::min<std::uint64_t>(left, chunk.size()));
                const auto size = input.size();
                REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::piece);
                REQUIRE(piece.bytes.size() == size);
                REQUIRE_FALSE(piece.begins);
                left -= size;
                REQUIRE(piece.ends == (left == 0));
            }
            CHECK(scanner.at_boundary());
        }
    }
}

TEST_CASE("a length that no message may have is refused") {
    for (const std::uint32_t length : {0u, 1u, 3u}) {
        CAPTURE(length);
        const auto result = scan(header('A', length) + "rest", {9}, whole_rules);
        CHECK(result.error == ProtocolError::bad_length);
        CHECK(result.pieces.empty());
    }
    for (const std::uint32_t length : {message_length_max + 1, 0x7fffffffu, 0x80000000u, 0xffffffffu}) {
        CAPTURE(length);
        CHECK(scan(header('A', length), {5}, whole_rules).error == ProtocolError::too_long);
    }
}

TEST_CASE("the longest length is the rules' where that is smaller") {
    FrameRules rules = whole_rules;
    rules.length_max = 20;
    CHECK(scan(message('A', 16), {21}, rules).error == ProtocolError::none);
    CHECK(scan(message('A', 17), {22}, rules).error == ProtocolError::too_long);
}

TEST_CASE("a bad length inside a run is refused after what stands before it") {
    for (const std::uint32_t length : {2u, 0xffffffffu}) {
        const std::string good = message('R', 6) + message('R', 2);
        const std::string stream = good + header('R', length) + "xxxx";
        for (std::size_t cut = 0; cut <= stream.size(); ++cut) {
            CAPTURE(length, cut);
            const auto result = scan(stream, {cut, stream.size()}, whole_rules);
            CHECK(result.error == (length == 2 ? ProtocolError::bad_length : ProtocolError::too_long));
            CHECK(result.left == stream.size() - good.size());
        }
    }
}

TEST_CASE("an unknown type is refused from its first byte, behind anything") {
    CHECK(scan("?", {1}, whole_rules).error == ProtocolError::unknown_message_type);
    CHECK(scan(header('?', 4), {5}, whole_rules).error == ProtocolError::unknown_message_type);
    CHECK(scan(std::string(1, '\0') + "abcd", {5}, whole_rules).error == ProtocolError::unknown_message_type);
    CHECK(scan("\xff", {1}, whole_rules).error == ProtocolError::unknown_message_type);
    const std::string stream = message('R', 3) + "?";
    const auto result = scan(stream, {stream.size()}, whole_rules);
    CHECK(result.error == ProtocolError::unknown_message_type);
    CHECK(result.left == 1);
}

TEST_CASE("nothing is read behind an error") {
    FrameScanner scanner;
    Frame piece;
    Bytes input = "?";
    REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::error);
    const std::string good = message('A', 1);
    input = good;
    CHECK(scanner.next(input, whole_rules, piece) == ScanStatus::error);
    CHECK(input == good);
}

TEST_CASE("no input changes nothing") {
    FrameScanner scanner;
    Frame piece;
    Bytes input;
    CHECK(scanner.next(input, whole_rules, piece) == ScanStatus::more);
    CHECK(scanner.at_boundary());
    const std::string half = message('A', 9).substr(0, 7);
    input = half;
    REQUIRE(scanner.next(input, whole_rules, piece) == ScanStatus::piece);
    CHECK(scanner.next(input, whole_rules, piece) == ScanStatus::more);
    CHECK_FALSE(scanner.at_boundary());
}

}  // namespace pgweir::test
