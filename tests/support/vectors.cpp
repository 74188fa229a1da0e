#include "tests/support/vectors.hpp"

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>
#include <stdexcept>

#include "protocol/body_reader.hpp"

namespace pgweir::test {

namespace {

struct ErrorName {
    std::string_view name;
    ProtocolError error;
};

constexpr auto error_names = std::to_array<ErrorName>({
    {"short_body", ProtocolError::short_body},
    {"trailing_bytes", ProtocolError::trailing_bytes},
    {"unterminated_string", ProtocolError::unterminated_string},
    {"bad_length", ProtocolError::bad_length},
    {"unknown_transaction_status", ProtocolError::unknown_transaction_status},
    {"unknown_target", ProtocolError::unknown_target},
    {"unknown_authentication", ProtocolError::unknown_authentication},
    {"unknown_format", ProtocolError::unknown_format},
    {"bad_count", ProtocolError::bad_count},
    {"bad_start_up_code", ProtocolError::bad_start_up_code},
    {"bad_sasl", ProtocolError::bad_sasl},
});

ProtocolError error_named(std::string_view name) {
    const auto is_it = [&](const ErrorName& row) { return row.name == name; };
    const auto found = std::find_if(error_names.begin(), error_names.end(), is_it);
    if (found == error_names.end()) throw std::runtime_error("no such error: " + std::string(name));
    return found->error;
}

int nibble(char digit) {
    const auto value = std::string_view("0123456789abcdef").find(digit);
    if (value == std::string_view::npos) throw std::runtime_error(std::string("no hexadecimal digit: ") + digit);
    return static_cast<int>(value);
}

// The hexadecimal digits that are left of a line.
std::string read_bytes(std::istringstream& line) {
    std::string bytes;
    for (std::string word; line >> word;) {
        if (word.size() % 2 != 0) throw std::runtime_error("half a byte: " + word);
        for (std::size_t i = 0; i < word.size(); i += 2)
            bytes.push_back(static_cast<char>(nibble(word[i]) << 4 | nibble(word[i + 1])));
    }
    return bytes;
}

// Calls `take` with each line that is neither blank nor a comment.
template <class Take>
void for_each_line(const std::string& file, Take take) {
    std::ifstream in(std::string(PGWEIR_SOURCE_DIR) + "/tests/vectors/" + file);
    if (!in) throw std::runtime_error("cannot read tests/vectors/" + file);
    for (std::string text; std::getline(in, text);) {
        if (text.empty() || text.front() == '#') continue;
        std::istringstream line(text);
        take(line);
    }
}

Bytes behind_length(Bytes packet) {
    BodyReader reader(packet);
    const auto length = reader.int32();
    const bool is_right = !reader.failed() && length == static_cast<std::int64_t>(packet.size());
    if (!is_right) throw std::runtime_error("wrong length field");
    return reader.rest();
}

}  // namespace

std::vector<Vector> load_vectors(const std::string& file) {
    std::vector<Vector> vectors;
    for_each_line(file, [&](std::istringstream& line) {
        auto& vector = vectors.emplace_back();
        line >> vector.name;
        vector.bytes = read_bytes(line);
    });
    return vectors;
}

std::vector<BadVector> load_bad_vectors(const std::string& file) {
    std::vector<BadVector> vectors;
    for_each_line(file, [&](std::istringstream& line) {
        auto& vector = vectors.emplace_back();
        std::string error;
        line >> vector.name >> error;
        vector.error = error_named(error);
        vector.bytes = read_bytes(line);
    });
    return vectors;
}

Vector load_vector(const std::string& file, std::string_view name) {
    for (auto& vector : load_vectors(file))
        if (vector.name == name) return vector;
    throw std::runtime_error("no vector " + std::string(name) + " in tests/vectors/" + file);
}

Bytes frame_body(Bytes frame) {
    if (frame.empty()) throw std::runtime_error("a frame has a type byte");
    return behind_length(frame.substr(1));
}

Bytes packet_body(Bytes packet) { return behind_length(packet); }

std::vector<std::pair<Bytes, Bytes>> every_cut(Bytes bytes) {
    std::vector<std::pair<Bytes, Bytes>> cuts;
    for (std::size_t at = 0; at <= bytes.size(); ++at) cuts.emplace_back(bytes.substr(0, at), bytes.substr(at));
    return cuts;
}

}  // namespace pgweir::test
