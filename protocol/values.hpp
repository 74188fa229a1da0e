// The lists that several messages share: values that may be NULL, format codes, type OIDs, names.
//
// Format codes are left as numbers: PostgreSQL refuses one it does not know with an error of its own.
#pragma once

#include <cstdint>
#include <optional>

#include "protocol/list_view.hpp"

namespace pgweir {

using Oid = std::uint32_t;

inline constexpr std::int16_t text_format = 0;
inline constexpr std::int16_t binary_format = 1;

// A 32-bit length and so many bytes; length -1 is NULL.
struct ValueElement {
    using Value = std::optional<Bytes>;

    static Value read(BodyReader& body) {
        const auto length = body.int32();
        if (length == -1) return std::nullopt;
        if (length < -1) {
            body.fail(ProtocolError::bad_length);
            return std::nullopt;
        }
        return body.bytes(length);
    }

    static void write(BodyWriter& body, const Value& value) {
        body.int32(value ? static_cast<std::int32_t>(value->size()) : -1);
        if (value) body.bytes(*value);
    }
};

struct FormatElement {
    using Value = std::int16_t;

    static Value read(BodyReader& body) { return body.int16(); }
    static void write(BodyWriter& body, Value value) { body.int16(value); }
};

struct OidElement {
    using Value = Oid;

    static Value read(BodyReader& body) { return static_cast<Oid>(body.int32()); }
    static void write(BodyWriter& body, Value value) { body.int32(static_cast<std::int32_t>(value)); }
};

struct NameElement {
    using Value = Bytes;

    static Value read(BodyReader& body) { return body.string(); }
    static void write(BodyWriter& body, Value value) { body.string(value); }
};

using ValueList = ListView<ValueElement>;
using FormatList = ListView<FormatElement>;
using OidList = ListView<OidElement>;
using NameList = ListView<NameElement>;

using ValueListBuilder = ListBuilder<ValueElement>;
using FormatListBuilder = ListBuilder<FormatElement>;
using OidListBuilder = ListBuilder<OidElement>;
using NameListBuilder = ListBuilder<NameElement>;

}  // namespace pgweir
