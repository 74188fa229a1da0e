// The fields of ErrorResponse and NoticeResponse: a code byte and a text each (PostgreSQL manual, "Error and Notice Message
// Fields"). A reader must pass over codes it does not know.
#pragma once

#include "protocol/list_view.hpp"

namespace pgweir::backend {

// The codes that pgweir reads or writes; a server may send others.
namespace error_field {
inline constexpr char severity = 'S';              // translated
inline constexpr char severity_nonlocalized = 'V';
inline constexpr char sqlstate = 'C';
inline constexpr char routine = 'R';    // the function of the server that said so
inline constexpr char message = 'M';
inline constexpr char detail = 'D';
inline constexpr char hint = 'H';
}  // namespace error_field

struct ErrorField {
    char code;    // never NUL: it ends the list
    Bytes text;

    bool operator==(const ErrorField&) const = default;
};

struct ErrorFieldElement {
    using Value = ErrorField;

    static Value read(BodyReader& body) { return {body.byte(), body.string()}; }
    static void write(BodyWriter& body, const Value& field) {
        body.byte(field.code);
        body.string(field.text);
    }
};

class ErrorFields : public ListView<ErrorFieldElement> {
public:
    ErrorFields() = default;
    ErrorFields(const ListView<ErrorFieldElement>& list) : ListView(list) {}   // implicit: adds a look-up and nothing else

    // The text of the first field with this code; empty if there is none.
    Bytes field(char code) const {
        for (const auto& field : *this)
            if (field.code == code) return field.text;
        return {};
    }
};

using ErrorFieldsBuilder = ListBuilder<ErrorFieldElement>;

}  // namespace pgweir::backend
