// The pieces that SCRAM messages are made of: "k=value", parted by commas, in a fixed order.
#pragma once

#include <charconv>
#include <optional>

#include "protocol/result.hpp"

namespace pgweir {

// Reads attributes from left to right; the first one that is not as expected spoils the rest.
class ScramAttributes {
public:
    explicit ScramAttributes(Bytes text) : rest_(text) {}

    // The value of the next attribute, which has to be `name`.
    Bytes take(char name) {
        if (failed_ || rest_.size() < 2 || rest_[0] != name || rest_[1] != '=') {
            failed_ = true;
            return {};
        }
        const auto end = rest_.find(',');
        const Bytes value = rest_.substr(2, end == Bytes::npos ? Bytes::npos : end - 2);
        rest_ = end == Bytes::npos ? Bytes{} : rest_.substr(end + 1);
        return value;
    }

    bool failed() const { return failed_; }

private:
    Bytes rest_;
    bool failed_ = false;
};

// A nonce is printable ASCII without a comma (RFC 5802, section 7).
inline bool is_scram_nonce(Bytes nonce) {
    if (nonce.empty()) return false;
    for (const char c : nonce)
        if (c < 0x21 || c > 0x7e || c == ',') return false;
    return true;
}

// Decimal digits only, from 1 to `max`.
inline std::optional<int> scram_iteration_count(Bytes text, int max) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < 1 || value > max) return std::nullopt;
    return value;
}

}  // namespace pgweir
