// One server process and its socket: the model, with time. It works on one thing at a time, blocks when nobody reads what it
// sends, can be canceled, and can die at any byte.
#pragma once

#include <string>

#include "tests/sim/model_server.hpp"
#include "tests/sim/pipe.hpp"
#include "tests/sim/run_log.hpp"
#include "tests/sim/trace.hpp"

namespace pgweir::sim {

// What it does by itself, up to a moment.
struct Temper {
    int refuses = 0;       // percent of the checks and resets
    int speaks_again = 0;  // percent of its ReadyForQuery that news or its end come right behind
    TimePoint calm_at{};
};

class Backend {
public:
    Backend(EventQueue& events, SeededRandom& random, const NetworkTraits& network, const Temper& temper, ModelServer model,
            RunLog& runs, const Trace& trace, int number);
    Backend(const Backend&) = delete;
    Backend& operator=(const Backend&) = delete;

    Pipe to_server;
    Pipe to_proxy;

    int number() const { return number_; }
    bool is_alive() const { return alive_; }
    bool is_ending() const { return !alive_ || closing_; }
    bool has_been_left() const { return model_.has_ended(); }    // by Terminate
    bool has_refused() const { return has_refused_; }            // a check or a reset

    // What it runs at this moment; null when it runs nothing.
    const Statement* running();
    void cancel();
    // It has nothing to do, and nothing is under way to it or from it.
    bool is_quiet() const;
    std::size_t prepared() const { return model_.prepared(); }

    void die();                         // some of what it has sent is lost
    void end_with_fatal();              // says so first
    void tell_news();
    void change_setting(std::size_t guc, const std::string& value);

private:
    void work();
    void finish_step();
    bool refuses_next();
    void collect(bool has_left_copy = false);
    void speak_again(bool has_left_copy);
    void say(const std::string& news);  // between two messages
    void flush();
    Microseconds duration();
    void exit_soon();
    void end();

    EventQueue& events_;
    SeededRandom& random_;
    Temper temper_;
    ModelServer model_;
    RunLog& runs_;
    const Trace& trace_;
    int number_;
    std::string kept_;   // not taken by the socket yet
    std::string doing_;  // for the trace
    bool busy_ = false;
    bool cancel_pending_ = false;
    bool has_refused_ = false;
    bool closing_ = false;
    bool exiting_ = false;
    bool alive_ = true;
};

}  // namespace pgweir::sim
