#include "protocol/frame_scanner.hpp"

#include <algorithm>

namespace pgweir {
// Half a header, a slice of a message that is not all there, or an error.
ScanStatus FrameScanner::next_of_cut(Bytes& input, const FrameRules& rules, Frame& piece) {
    if (error_ != ProtocolError::none) return ScanStatus::error;
    std::size_t taken = 0;

    if (rest_of_message_ != 0) {
        if (input.empty()) return ScanStatus::more;
        taken = std::min<std::size_t>(rest_of_message_, input.size());
        rest_of_message_ -= static_cast<std::uint32_t>(taken);
        piece = {.type = type_, .begins = false, .ends = rest_of_message_ == 0, .length = 0, .bytes = {}};
    } else {
        if (input.size() < frame_header_bytes) {
            if (!input.empty() && !rules.known.contains(input[0])) return fail(ProtocolError::unknown_message_type);
            return ScanStatus::more;
        }
        const char type = input[0];
        const std::uint32_t length = length_field(input.data() + 1);
        if (!rules.known.contains(type)) return fail(ProtocolError::unknown_message_type);
        if (length < 4) return fail(ProtocolError::bad_length);
        if (length > rules.length_max) return fail(ProtocolError::too_long);

        const std::uint32_t whole = length + 1;
        if (rules.gathered.contains(type) && input.size() < rules.gather_limit) return ScanStatus::more;
        type_ = type;
        taken = input.size();
        rest_of_message_ = whole - static_cast<std::uint32_t>(taken);
        piece = {.type = type, .begins = true, .ends = false, .length = whole, .bytes = {}};
    }

    if (rest_of_message_ == 0 && rules.runs.contains(type_)) {
        extend_run(input, rules, taken);
        piece.ends = rest_of_message_ == 0;
    }
    piece.bytes = input.substr(0, taken);
    input.remove_prefix(taken);
    return ScanStatus::piece;
}

// Steps over the messages behind the first `taken` bytes while they are of run types. Anything doubtful is left for the
// next call, which reports it.
void FrameScanner::extend_run(Bytes input, const FrameRules& rules, std::size_t& taken) {
    while (input.size() - taken >= frame_header_bytes && rules.runs.contains(input[taken])) {
        const std::uint32_t length = length_field(input.data() + taken + 1);
        if (length < 4 || length > rules.length_max) return;
        const std::size_t whole = std::size_t{length} + 1;
        const std::size_t available = input.size() - taken;
        if (whole > available && rules.gathered.contains(input[taken])) return;
        type_ = input[taken];
        if (whole > available) {
            rest_of_message_ = static_cast<std::uint32_t>(whole - available);
            taken += available;
            return;
        }
        taken += whole;
    }
}

ScanStatus FrameScanner::fail(ProtocolError error) {
    error_ = error;
    return ScanStatus::error;
}

}  // namespace pgweir
