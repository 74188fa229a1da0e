// The console's extended protocol: statements without parameters, portals that end at Sync.

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <utility>

#include "admin/console.hpp"
#include "admin/show_table.hpp"
#include "protocol/backend/bind_complete.hpp"
#include "protocol/backend/close_complete.hpp"
#include "protocol/backend/no_data.hpp"
#include "protocol/backend/parameter_description.hpp"
#include "protocol/backend/parse_complete.hpp"
#include "protocol/backend/portal_suspended.hpp"
#include "protocol/frontend/query.hpp"

namespace pgweir {

namespace {

// A bound on what one session keeps; a driver's statement cache is far below it.
constexpr std::size_t statements_max = 1000;

std::span<const ShowColumn> columns_of(const Command& command) {
    const auto* kind = std::get_if<ShowKind>(&command.verb);
    return kind ? show_table_row(*kind).columns : std::span<const ShowColumn>();
}

void append_description(std::string& out, std::span<const ShowColumn> columns, std::span<const std::int16_t> formats) {
    if (columns.empty()) return append_message(out, backend::NoData{});
    append_columns(out, columns, formats);
}

std::string no_such(frontend::Target target, Bytes name) {
    if (target == frontend::Target::portal) return fmt::format("portal \"{}\" does not exist", name);
    return name.empty() ? "unnamed prepared statement does not exist"
                        : fmt::format("prepared statement \"{}\" does not exist", name);
}

constexpr std::string_view sqlstate_of_unknown(frontend::Target target) {
    return target == frontend::Target::portal ? "34000" : "26000";
}

}  // namespace

ConsoleStep Console::on_message(frontend::Type type, Bytes body) {
    using frontend::Type;
    assert(!is_waiting());
    if (type == Type::terminate) return {.closes = true};
    if (skips_to_sync_ && type != Type::sync) return {};
    switch (type) {
        case Type::query: {
            const auto query = frontend::Query::parse(BodyReader(body));
            return query ? on_query(query->sql) : ConsoleStep{.fault = Fault::protocol_violation, .closes = true};
        }
        case Type::parse: return read<frontend::Parse>(body, &Console::on_parse);
        case Type::bind: return read<frontend::Bind>(body, &Console::on_bind);
        case Type::describe: return read<frontend::Describe>(body, &Console::on_describe);
        case Type::execute: return read<frontend::Execute>(body, &Console::on_execute);
        case Type::close: return read<frontend::Close>(body, &Console::on_close);
        case Type::sync: return on_sync();
        case Type::flush: return {};    // nothing is ever held back
        case Type::copy_data:
        case Type::copy_done:
        case Type::copy_fail: return {};    // of a COPY that is none, as in PostgreSQL
        default: return {.fault = Fault::unknown_packet, .closes = true};
    }
}

template <class Message>
ConsoleStep Console::read(Bytes body, ConsoleStep (Console::*handler)(const Message&)) {
    const auto message = Message::parse(BodyReader(body));
    if (!message) return {.fault = Fault::protocol_violation, .closes = true};
    return (this->*handler)(*message);
}

ConsoleStep Console::on_parse(const frontend::Parse& parse) {
    const std::string name(parse.statement);
    if (!name.empty() && statements_.contains(name))
        return refuse(false, fmt::format("prepared statement \"{}\" already exists", name), "42P05");
    if (statements_.size() >= statements_max) return refuse(false, "too many prepared statements", "54000");
    auto command = parse_command(parse.sql);
    if (!command) return refuse(false, error_text(command.error(), parse.sql), "08P01");
    statements_.insert_or_assign(name, std::move(*command));
    return {.bytes = to_message(backend::ParseComplete{})};
}

ConsoleStep Console::on_bind(const frontend::Bind& bind) {
    using frontend::Target;
    const auto statement = statements_.find(bind.statement);
    if (statement == statements_.end())
        return refuse(false, no_such(Target::statement, bind.statement), sqlstate_of_unknown(Target::statement));
    if (!bind.values.empty())
        return refuse(false, fmt::format("bind message supplies {} parameters, but no command has any", bind.values.size()),
                      "08P01");
    if (!bind.portal.empty() && portals_.contains(bind.portal))
        return refuse(false, fmt::format("portal \"{}\" already exists", bind.portal), "42P03");

    Portal portal{.command = statement->second};
    for (const auto format : bind.result_formats) {
        if (format != text_format && format != binary_format)
            return refuse(false, fmt::format("unsupported format code: {}", format), "22023");
        portal.formats.push_back(format);
    }
    const auto columns = columns_of(portal.command).size();
    if (portal.formats.size() > 1 && portal.formats.size() != columns)
        return refuse(false, fmt::format("bind message has {} result formats but query has {} columns", portal.formats.size(),
                                         columns), "08P01");
    portals_.insert_or_assign(std::string(bind.portal), std::move(portal));
    return {.bytes = to_message(backend::BindComplete{})};
}

ConsoleStep Console::on_describe(const frontend::Describe& describe) {
    using frontend::Target;
    const auto unknown = [&] {
        return refuse(false, no_such(describe.target, describe.name), sqlstate_of_unknown(describe.target));
    };
    ConsoleStep step;
    if (describe.target == Target::portal) {
        const auto portal = portals_.find(describe.name);
        if (portal == portals_.end()) return unknown();
        append_description(step.bytes, columns_of(portal->second.command), portal->second.formats);
        return step;
    }
    const auto statement = statements_.find(describe.name);
    if (statement == statements_.end()) return unknown();
    append_message(step.bytes, backend::ParameterDescription{});
    append_description(step.bytes, columns_of(statement->second), {});
    return step;
}

ConsoleStep Console::on_execute(const frontend::Execute& execute) {
    using frontend::Target;
    const auto found = portals_.find(execute.portal);
    if (found == portals_.end())
        return refuse(false, no_such(Target::portal, execute.portal), sqlstate_of_unknown(Target::portal));
    auto& portal = found->second;
    if (std::exchange(portal.has_run, true)) {
        // Rows that a limit has kept back may be asked for again; an order is given once.
        if (columns_of(portal.command).empty())
            return refuse(false, fmt::format("portal \"{}\" cannot be run", execute.portal), "55000");
        return send_rows(portal, execute.max_rows);
    }
    return run({.command = portal.command, .portal = std::string(execute.portal), .max_rows = execute.max_rows});
}

ConsoleStep Console::send_rows(Portal& portal, std::int32_t max_rows) {
    ConsoleStep step;
    const auto columns = columns_of(portal.command);
    auto count = portal.rows.size() - portal.next_row;
    if (max_rows > 0) count = std::min(count, static_cast<std::size_t>(max_rows));
    for (; count > 0; --count) append_row(step.bytes, portal.rows[portal.next_row++], columns, portal.formats);

    if (portal.next_row < portal.rows.size()) {
        append_message(step.bytes, backend::PortalSuspended{});
    } else {
        append_complete(step.bytes, "SHOW");
    }
    return step;
}

ConsoleStep Console::on_close(const frontend::Close& close) {
    // Closing what does not exist is no error.
    if (close.target == frontend::Target::portal) {
        portals_.erase(std::string(close.name));
    } else {
        statements_.erase(std::string(close.name));
    }
    return {.bytes = to_message(backend::CloseComplete{})};
}

ConsoleStep Console::on_sync() {
    skips_to_sync_ = false;
    portals_.clear();
    ConsoleStep step;
    append_ready(step.bytes);
    return step;
}

}  // namespace pgweir
