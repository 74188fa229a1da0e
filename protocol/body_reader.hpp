// Reads the fields of a message body, in order. A short read is remembered, so a parser reads straight down and asks
// once at its end; every read after the first short one gives zero or empty.
//
// Views returned point into the body. All integers are big-endian (PostgreSQL manual, "Message Data Types").
#pragma once

#include <cstdint>
#include <cstring>

#include "protocol/result.hpp"

namespace pgweir {

class BodyReader {
public:
    explicit BodyReader(Bytes body) : rest_(body) {}

    char byte() {
        if (!need(1)) return 0;
        const char value = rest_.front();
        rest_.remove_prefix(1);
        return value;
    }

    std::int16_t int16() { return static_cast<std::int16_t>(big_endian<2>()); }
    std::int32_t int32() { return static_cast<std::int32_t>(big_endian<4>()); }

    // A string that a NUL ends; the NUL is read and left out.
    Bytes string() {
        const auto end = rest_.find('\0');
        if (end == Bytes::npos) {
            fail(ProtocolError::unterminated_string);
            return {};
        }
        const Bytes value = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return value;
    }

    // Exactly `count` bytes; a negative count is a short body.
    Bytes bytes(std::int64_t count) {
        if (count < 0 || !need(static_cast<std::size_t>(count))) {
            fail(ProtocolError::short_body);
            return {};
        }
        const Bytes value = rest_.substr(0, static_cast<std::size_t>(count));
        rest_.remove_prefix(static_cast<std::size_t>(count));
        return value;
    }

    // Everything that is left.
    Bytes rest() {
        const Bytes value = rest_;
        rest_ = {};
        return value;
    }

    std::size_t remaining() const { return rest_.size(); }

    void fail(ProtocolError error) {
        if (error_ == ProtocolError::none) error_ = error;
        rest_ = {};
    }

    // The first thing that went wrong, or `none` when the body was read to its very end.
    ProtocolError finish() const {
        if (error_ != ProtocolError::none) return error_;
        return rest_.empty() ? ProtocolError::none : ProtocolError::trailing_bytes;
    }

    bool failed() const { return error_ != ProtocolError::none; }

private:
    bool need(std::size_t count) {
        if (rest_.size() >= count) return true;
        fail(ProtocolError::short_body);
        return false;
    }

    template <std::size_t Size>
    std::uint32_t big_endian() {
        if (!need(Size)) return 0;
        std::uint32_t value = 0;
        for (std::size_t i = 0; i < Size; ++i) value = value << 8 | static_cast<unsigned char>(rest_[i]);
        rest_.remove_prefix(Size);
        return value;
    }

    Bytes rest_;
    ProtocolError error_ = ProtocolError::none;
};

}  // namespace pgweir
