#include "tests/unit/admin/console_reply.hpp"

#include <stdexcept>

#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/data_row.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/row_description.hpp"

namespace pgweir::test {

namespace {

template <class Message>
Message must_parse(Bytes body) {
    const auto message = Message::parse(BodyReader(body));
    if (!message) throw std::runtime_error("a bad body");
    return *message;
}

void read_columns(Reply& reply, Bytes body) {
    for (const auto& column : must_parse<backend::RowDescription>(body).columns)
        reply.columns.push_back({std::string(column.name), column.type, column.type_size, column.format});
}

void read_row(Reply& reply, Bytes body) {
    auto& row = reply.rows.emplace_back();
    for (const auto& value : must_parse<backend::DataRow>(body).values)
        row.push_back(value ? std::optional<std::string>(*value) : std::nullopt);
}

void read_error(Reply& reply, Bytes body) {
    using namespace backend;
    const auto fields = must_parse<ErrorResponse>(body).fields;
    if (fields.field(error_field::severity) != "ERROR") throw std::runtime_error("not an ERROR");
    reply.error = std::string(fields.field(error_field::sqlstate)) + " " + std::string(fields.field(error_field::message));
}

void read_notice(Reply& reply, Bytes body) {
    using namespace backend;
    const auto fields = must_parse<NoticeResponse>(body).fields;
    reply.notice = fields.field(error_field::message);
    reply.detail = fields.field(error_field::detail);
}

void read_message(Reply& reply, backend::Type type, Bytes body) {
    switch (type) {
        case backend::Type::row_description: return read_columns(reply, body);
        case backend::Type::data_row: return read_row(reply, body);
        case backend::Type::command_complete: reply.tag = must_parse<backend::CommandComplete>(body).tag; return;
        case backend::Type::error_response: return read_error(reply, body);
        case backend::Type::notice_response: return read_notice(reply, body);
        default: return;
    }
}

}  // namespace

Reply read_reply(std::string_view bytes) {
    Reply reply;
    BodyReader rest(bytes);
    while (rest.remaining() > 0) {
        const char type = rest.byte();
        const auto body = rest.bytes(rest.int32() - 4);
        if (rest.failed()) throw std::runtime_error("a message is cut short");
        reply.types += type;
        read_message(reply, static_cast<backend::Type>(type), body);
    }
    return reply;
}

Reply ask(Console& console, std::string_view text) {
    const auto step = console.on_query(text);
    if (step.needs != Needs::none || step.order || step.closes) throw std::runtime_error("not answered at once");
    return read_reply(step.bytes);
}

Reply show(std::string_view text, const Inventory& inventory) {
    Console console(ConsoleRole::admin);
    auto step = console.on_query(text);
    if (console.is_waiting()) step = console.answer(inventory);
    return read_reply(step.bytes);
}

}  // namespace pgweir::test
