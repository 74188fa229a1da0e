// Splits a byte stream into messages: header, slices of the body, end. Copies nothing and keeps eight bytes of state.
//
// Promises: a piece never crosses a message that needs a decision; a message of any length up to 1 GiB passes in slices;
//           a header, and a message of a `gathered` type up to `gather_limit`, comes in one piece.
// Not here: what the messages mean (frontend/, backend/), who keeps the bytes left over (the caller).
#pragma once

#include <cassert>
#include <cstdint>

#include "protocol/message_type.hpp"
#include "protocol/result.hpp"

namespace pgweir {

inline constexpr std::uint32_t frame_header_bytes = 5;             // type byte and length
inline constexpr std::uint32_t message_length_max = 0x3fffffff;    // PostgreSQL refuses longer ones

// A slice of one message, or of a run of neighbouring messages that need no decision.
struct Frame {
    char type = 0;               // of the message, or of the first one in a run
    bool begins = false;         // the first byte is a header's
    bool ends = false;           // the last byte is a message's last
    std::uint32_t length = 0;    // bytes of the (first) message with its header; only where it begins
    Bytes bytes;

    // The body of a message that begins and ends here.
    Bytes body() const {
        assert(begins);
        return {bytes.data() + frame_header_bytes, bytes.size() - frame_header_bytes};
    }
};

struct FrameRules {
    TypeSet known;               // any other type is an error
    TypeSet gathered;            // come whole, or as much as `gather_limit` of them at once
    TypeSet runs;                // neighbouring ones leave as one piece
    std::uint32_t length_max = message_length_max;    // longest length field, at most that
    std::uint32_t gather_limit = 4096;                // bytes, header included
};

enum class ScanStatus : std::uint8_t {
    piece,    // a piece was found and taken off the input
    more,     // what is left of the input must be given again with more behind it; it is less than `gather_limit`
    error,    // `error()` says why; the stream cannot be followed any more
};

class FrameScanner {
public:
    // Takes the next piece off the front of `input`. An empty input gives `more`.
    ScanStatus next(Bytes& input, const FrameRules& rules, Frame& piece) {
        return next_whole(input, rules, piece) ? ScanStatus::piece : next_of_cut(input, rules, piece);
    }

    // The usual case alone, in the caller's own code. False: nothing has changed, and `next` says what there is.
    bool next_whole(Bytes& input, const FrameRules& rules, Frame& piece);

    // No message is half read.
    bool at_boundary() const { return rest_of_message_ == 0; }
    ProtocolError error() const { return error_; }

private:
    static std::uint32_t length_field(const char* at) {
        const auto* byte = reinterpret_cast<const unsigned char*>(at);
        return std::uint32_t{byte[0]} << 24 | std::uint32_t{byte[1]} << 16 | std::uint32_t{byte[2]} << 8 | byte[3];
    }
    ScanStatus next_of_cut(Bytes& input, const FrameRules& rules, Frame& piece);
    ScanStatus fail(ProtocolError error);
    void extend_run(Bytes input, const FrameRules& rules, std::size_t& taken);

    std::uint32_t rest_of_message_ = 0;    // bytes of the current message not seen yet
    char type_ = 0;
    ProtocolError error_ = ProtocolError::none;
};

[[gnu::always_inline]] inline bool FrameScanner::next_whole(Bytes& input, const FrameRules& rules, Frame& piece) {
    if (rest_of_message_ != 0 || input.size() < frame_header_bytes || error_ != ProtocolError::none) return false;
    const char type = input[0];
    const std::uint32_t length = length_field(input.data() + 1);
    std::size_t taken = std::size_t{length} + 1;
    if (taken > input.size() || length - 4 > rules.length_max - 4 || !rules.known.contains(type)) return false;
    if (rules.runs.contains(type)) extend_run(input, rules, taken);
    piece = {.type = type, .begins = true, .ends = rest_of_message_ == 0, .length = length + 1, .bytes = {input.data(), taken}};
    input.remove_prefix(taken);
    return true;
}

}  // namespace pgweir
