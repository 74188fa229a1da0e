#include "admin/result_writer.hpp"

#include "protocol/backend/command_complete.hpp"
#include "protocol/backend/data_row.hpp"
#include "protocol/backend/error_response.hpp"
#include "protocol/backend/notice_response.hpp"
#include "protocol/backend/ready_for_query.hpp"
#include "protocol/backend/row_description.hpp"

namespace pgweir {

namespace {

// Fields are strings that a NUL ends: what stands behind one would be read as something else.
std::string_view until_nul(std::string_view text) { return text.substr(0, text.find('\0')); }

backend::ErrorFieldsBuilder fields_of(std::string_view severity, std::string_view sqlstate, std::string_view message) {
    using namespace backend;
    ErrorFieldsBuilder fields;
    fields.add({error_field::severity, severity})
        .add({error_field::sqlstate, sqlstate})
        .add({error_field::message, until_nul(message)});
    return fields;
}

}  // namespace

std::int16_t format_of(std::span<const std::int16_t> formats, std::size_t column) {
    if (formats.empty()) return text_format;
    return formats.size() == 1 ? formats.front() : formats[column];
}

void append_columns(std::string& out, std::span<const ShowColumn> columns, std::span<const std::int16_t> formats) {
    backend::ColumnListBuilder list;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        list.add({.name = columns[i].name,
                  .type = static_cast<Oid>(columns[i].type),
                  .type_size = size_of(columns[i].type),
                  .format = format_of(formats, i)});
    }
    append_message(out, backend::RowDescription{list.view()});
}

void append_row(std::string& out, const Row& row, std::span<const ShowColumn> columns, std::span<const std::int16_t> formats) {
    ValueListBuilder values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (row[i].is_null()) {
            values.add(std::nullopt);
        } else {
            const auto bytes = row[i].encode(columns[i].type, format_of(formats, i));
            values.add(bytes);
        }
    }
    append_message(out, backend::DataRow{values.view()});
}

void append_complete(std::string& out, std::string_view tag) {
    append_message(out, backend::CommandComplete{until_nul(tag)});
}

void append_ready(std::string& out) { append_message(out, backend::ReadyForQuery{backend::TransactionStatus::idle}); }

void append_error(std::string& out, std::string_view message, std::string_view sqlstate) {
    const auto fields = fields_of("ERROR", sqlstate, message);
    append_message(out, backend::ErrorResponse{fields.view()});
}

void append_notice(std::string& out, std::string_view message, std::string_view detail) {
    auto fields = fields_of("NOTICE", "00000", message);
    if (!detail.empty()) fields.add({backend::error_field::detail, detail});
    append_message(out, backend::NoticeResponse{fields.view()});
}

}  // namespace pgweir
