// Compares what a client receives with what its own requests earned: its script is run against a model of its own, and
// every message must be the next one of that model, byte for byte.
//
// Besides these only three things may come: news that belongs to no request (notices and parameters marked as such,
// notifications), pgweir's notice to a waiting client, and one FATAL error at the end.
// The model is advanced only as far as replies have come, since a cancel is known only once a server has met it.
#pragma once

#include <string>

#include "tests/sim/model_server.hpp"
#include "tests/sim/run_log.hpp"

namespace pgweir::sim {

class ReplyChecker {
public:
    ReplyChecker(int client, Gucs gucs, ModelTraits traits, const RunLog& runs)
        : client_(client),
          reference_(std::move(gucs), traits),
          runs_(runs) {}

    void sent(Bytes bytes) { reference_.feed(bytes); }
    void received(Bytes bytes);

    // Everything sent so far has been answered.
    bool is_settled();
    bool has_fatal() const { return has_fatal_; }
    std::uint64_t messages() const { return messages_; }

    // Nothing more will come. What servers executed for this client must be what it asked for, in order; `answered`: it has
    // had all its replies; `executed`: all that it asked for has been run, though nobody may have heard the replies.
    void finish(bool answered, bool executed);

private:
    void check(Bytes message);
    [[noreturn]] void fail(const std::string& what, Bytes message) const;
    const Reply* next_expected();
    void mark_spare();
    void advance();
    bool can_advance();

    int client_;
    ModelServer reference_;
    const RunLog& runs_;
    std::string partial_;
    std::uint64_t messages_ = 0;
    bool has_fatal_ = false;
    bool spare_ready_ = false;  // the last message was a ReadyForQuery that may be missing
};

// Messages that belong to no request.
std::string news_notice(int server);
std::string news_notification(int server);
std::string news_parameter(int server);
std::string waiting_notice();

}  // namespace pgweir::sim
