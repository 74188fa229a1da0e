// What all messages share: the check at the end of a parser, and the shape of a message that has no fields.
//
// A message is refused only where its fields cannot be found or told apart. What PostgreSQL answers with an error of its
// own (a Bind with a wrong number of formats, say) is not judged here: the server does it, and the session lives on.
#pragma once

#include "protocol/body_reader.hpp"
#include "protocol/body_writer.hpp"
#include "protocol/result.hpp"

namespace pgweir {

// The message, if the body it was read from held it to the last byte and nothing else.
template <class Message>
Result<Message> whole(const BodyReader& body, const Message& message) {
    const auto error = body.finish();
    if (error != ProtocolError::none) return error;
    return message;
}

template <class Message>
struct WithoutBody {
    static Result<Message> parse(BodyReader body) { return whole(body, Message{}); }
    void serialize(BodyWriter&) const {}

    bool operator==(const WithoutBody&) const = default;
};

}  // namespace pgweir
