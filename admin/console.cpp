// Simple queries, and what both protocols share. The extended one: console_extended.cpp.

#include "admin/console.hpp"

#include <cassert>
#include <utility>

#include "admin/show_table.hpp"

namespace pgweir {

namespace {

constexpr std::string_view error_sqlstate = "08P01";   // PgBouncer's, whatever the error

}  // namespace

ConsoleStep Console::on_query(std::string_view text) {
    assert(!is_waiting());
    // As in PostgreSQL: a Query ends the unnamed statement, and all portals with the transaction.
    statements_.erase(std::string());
    portals_.clear();
    auto command = parse_command(text);
    if (!command) return refuse(true, error_text(command.error(), text), error_sqlstate);
    return run({.command = std::move(*command)});
}

ConsoleStep Console::run(Pending pending) {
    if (const auto* kind = std::get_if<ShowKind>(&pending.command.verb)) return show(*kind, std::move(pending));
    if (is_ignored_by_set(pending.command.key)) {
        std::string bytes;
        append_notice(bytes, "SET ignored");
        return complete(pending, "SET", std::move(bytes));
    }
    return give_order(std::move(pending));
}

ConsoleStep Console::show(ShowKind kind, Pending pending) {
    const bool is_query = !pending.portal;
    if (kind == ShowKind::help) {
        std::string bytes;
        append_notice(bytes, "Console usage", help_text());
        return complete(pending, "SHOW", std::move(bytes));
    }
    if (kind == ShowKind::fds && role_ == ConsoleRole::stats) return refuse(is_query, OrderError::admin_needed, {});
    pending_ = std::move(pending);
    auto needs = show_table_row(kind).needs;
    if (kind == ShowKind::fds && is_owner_) needs = needs | Needs::fd_handles;
    if (needs == Needs::none) return answer({});
    return {.needs = needs};
}

ConsoleStep Console::give_order(Pending pending) {
    const bool is_query = !pending.portal;
    pending.order = order_of(pending.command);
    if (role_ == ConsoleRole::stats) return refuse(is_query, OrderError::admin_needed, pending.order);
    if (const auto mistake = mistake_in(pending.order)) return refuse(is_query, *mistake, pending.order);

    if (pending.order.kind == OrderKind::suspend) has_suspended_ = true;
    ConsoleStep step{.log = order_log_line(pending.order), .order = pending.order};
    if (pending.order.wants_answer) pending_ = std::move(pending);
    return step;
}

ConsoleStep Console::answer(const Inventory& inventory) {
    assert(is_waiting());
    const auto pending = *std::exchange(pending_, std::nullopt);
    const auto& table_row = show_table_row(std::get<ShowKind>(pending.command.verb));
    auto rows = table_row.rows(inventory);
    if (pending.portal) {
        auto& portal = portals_.find(*pending.portal)->second;
        portal.rows = std::move(rows);
        return send_rows(portal, pending.max_rows);
    }
    std::string bytes;
    std::vector<PassedDescriptor> descriptors;
    append_columns(bytes, table_row.columns);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const bool is_fd = table_row.kind == ShowKind::fds && inventory.fds[i].handle;
        if (is_fd) descriptors.push_back({bytes.size(), inventory.fds[i].handle});
        append_row(bytes, rows[i], table_row.columns);
    }
    auto step = complete(pending, "SHOW", std::move(bytes));
    step.descriptors = std::move(descriptors);
    return step;
}

ConsoleStep Console::done(std::string_view notice) {
    if (!is_waiting()) return {};
    const auto pending = *std::exchange(pending_, std::nullopt);
    const auto& order = pending.order;
    if (order.kind == OrderKind::resume && order.database.empty()) has_suspended_ = false;
    std::string bytes;
    if (!notice.empty()) append_notice(bytes, notice);
    std::string tag(word_of(order.kind));
    if (order.kind == OrderKind::set) tag += " " + order.key + "=" + order.value;
    return complete(pending, tag, std::move(bytes));
}

ConsoleStep Console::failed(OrderError error) {
    if (!is_waiting()) return {};
    const auto refusal = refusal_of(error, pending_->order);
    return failed(refusal.message, refusal.sqlstate);
}

ConsoleStep Console::failed(std::string_view message, std::string_view sqlstate) {
    if (!is_waiting()) return {};
    const auto pending = *std::exchange(pending_, std::nullopt);
    if (pending.order.kind == OrderKind::suspend) has_suspended_ = false;
    return refuse(!pending.portal, message, sqlstate);
}

ConsoleStep Console::on_cancel() {
    if (!is_waiting()) return {};
    const auto order = pending_->order;
    const bool pauses = order.kind == OrderKind::pause || order.kind == OrderKind::suspend;
    if (!pauses && order.kind != OrderKind::wait_close) return {};
    auto step = failed(OrderError::canceled);
    if (pauses) step.order = Order{.kind = OrderKind::resume, .database = order.database, .wants_answer = false};
    return step;
}

ConsoleStep Console::on_gone() {
    pending_.reset();
    if (!std::exchange(has_suspended_, false)) return {};
    return {.log = "admin disappeared when suspended, doing RESUME",
            .order = Order{.kind = OrderKind::resume, .wants_answer = false}};
}

ConsoleStep Console::complete(const Pending& pending, std::string_view tag, std::string bytes) {
    append_complete(bytes, tag);
    if (!pending.portal) append_ready(bytes);
    return {.bytes = std::move(bytes)};
}

ConsoleStep Console::refuse(bool is_query, std::string_view message, std::string_view sqlstate) {
    ConsoleStep step{.error = std::string(message)};
    append_error(step.bytes, message, sqlstate);
    if (is_query) append_ready(step.bytes);
    skips_to_sync_ = !is_query;
    return step;
}

ConsoleStep Console::refuse(bool is_query, OrderError error, const Order& order) {
    const auto refusal = refusal_of(error, order);
    return refuse(is_query, refusal.message, refusal.sqlstate);
}

}  // namespace pgweir
