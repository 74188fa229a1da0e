#include "tests/sim/reply_checker.hpp"

#include <algorithm>

#include "tests/sim/failure.hpp"
#include "tests/sim/frames.hpp"
#include "tests/sim/prepared_script.hpp"

namespace pgweir::sim {
namespace {

constexpr std::string_view news_mark = "news of server ";
constexpr std::string_view news_name = "in_hot_standby";

bool is_news(Bytes message) {
    switch (message[0]) {
        case 'A': return true;
        case 'N': return message.find(news_mark) != Bytes::npos || message == waiting_notice();
        case 'S':
            return message.substr(5).starts_with(news_name) || message.substr(5).starts_with(guc_names[guc_time_zone]);
        default: return false;
    }
}

bool is_fatal(Bytes message) { return message[0] == 'E' && message.substr(5).starts_with("SFATAL"); }

// What an error about a statement's name says; empty for all else. Where pgweir keeps the names it is the one that answers,
// with PostgreSQL's severity, SQLSTATE and text, and other fields of its own.
std::string refusal_of_name(Bytes message) {
    if (message[0] != 'E') return {};
    message.remove_prefix(5);
    std::string severity, sqlstate, text;
    while (!message.empty() && message.front() != '\0') {
        const char field = message.front();
        message.remove_prefix(1);
        std::string value = take_text(message);
        if (field == 'S') severity = std::move(value);
        else if (field == 'C') sqlstate = std::move(value);
        else if (field == 'M') text = std::move(value);
    }
    const bool about_name = sqlstate == "42P05" || sqlstate == "26000";
    return about_name ? severity + ' ' + sqlstate + ' ' + text : std::string();
}

bool is_equal(Bytes message, Bytes expected) {
    if (message == expected) return true;
    const auto refusal = tracks_named_statements ? refusal_of_name(expected) : std::string();
    return !refusal.empty() && refusal == refusal_of_name(message);
}

// Readable, and not too much of it.
std::string shown(Bytes bytes) {
    std::string out;
    for (const char c : bytes.substr(0, 160)) out += c >= ' ' && c <= '~' ? c : '.';
    return out;
}

}  // namespace

std::string news_notice(int server) {
    return report_frame('N', "NOTICE", "00000", fmt::format("{}{}", news_mark, server));
}

std::string news_notification(int server) {
    std::string body;
    append_int32(body, server);
    return frame('A', body + zero_ended("channel") + zero_ended(fmt::format("{}{}", news_mark, server)));
}

std::string news_parameter(int server) {
    return frame('S', zero_ended(news_name) + zero_ended(server % 2 == 0 ? "on" : "off"));
}

std::string waiting_notice() { return report_frame('N', "NOTICE", "00000", "No server connection available"); }

void ReplyChecker::fail(const std::string& what, Bytes message) const {
    throw Failure(fmt::format("client {} {}  {}", client_, what, shown(message)));
}

void ReplyChecker::received(Bytes bytes) {
    partial_ += bytes;
    std::size_t done = 0;
    while (const auto length = whole_message(Bytes(partial_).substr(done))) {
        check(Bytes(partial_).substr(done, length));
        done += length;
    }
    partial_.erase(0, done);
}

void ReplyChecker::check(Bytes message) {
    ++messages_;
    if (has_fatal_) fail("received a message after its FATAL error:", message);
    if (is_news(message)) return;
    if (is_fatal(message)) {
        has_fatal_ = true;
        return;
    }
    for (;;) {
        const Reply* expected = next_expected();
        if (expected == nullptr) fail("received a reply that no request of its own earned:", message);
        const bool equal = is_equal(message, expected->bytes);
        if (!equal && !expected->may_be_missing)
            fail("received  " + shown(message) + "\n  instead of", expected->bytes);
        spare_ready_ = equal && expected->may_be_missing;
        reference_.replies.pop_front();
        if (equal) return;
    }
}

bool ReplyChecker::can_advance() {
    return reference_.has_work() || (reference_.waits_in_copy() && runs_.canceled.contains(reference_.next_run()));
}

void ReplyChecker::advance() {
    const bool canceled = reference_.next_statement() != nullptr && runs_.canceled.contains(reference_.next_run());
    reference_.step(canceled);
}

// Of two ReadyForQuery in a row of which one may be missing, the one that comes may be either.
void ReplyChecker::mark_spare() {
    if (spare_ready_ && !reference_.replies.empty() && reference_.replies.front().bytes[0] == 'Z')
        reference_.replies.front().may_be_missing = true;
}

const Reply* ReplyChecker::next_expected() {
    while (reference_.replies.empty() && can_advance()) advance();
    mark_spare();
    return reference_.replies.empty() ? nullptr : &reference_.replies.front();
}

bool ReplyChecker::is_settled() {
    const auto may_be_missing = [](const Reply& reply) { return reply.may_be_missing; };
    for (;;) {
        mark_spare();
        if (!std::ranges::all_of(reference_.replies, may_be_missing)) return false;
        if (!reference_.next_is_inert()) return !can_advance() && !reference_.waits_in_copy();
        reference_.step();
    }
}

void ReplyChecker::finish(bool answered, bool executed_all) {
    if (answered) require(is_settled(), "client {}: not everything it asked for was answered", client_);
    while (can_advance()) advance();
    const auto found = runs_.executed.find(client_);
    static const std::vector<std::string> none;
    const auto& executed = found == runs_.executed.end() ? none : found->second;
    const auto& asked = reference_.executed;
    require(executed.size() <= asked.size(), "client {}: servers ran more statements than it sent", client_);
    require(!executed_all || executed.size() == asked.size(), "client {}: {} of its statements were never run", client_,
            asked.size() - executed.size());
    for (std::size_t i = 0; i < executed.size(); ++i)
        require(executed[i] == asked[i], "client {}: a server ran {} where {} was next", client_, executed[i],
                asked[i]);
}

}  // namespace pgweir::sim
