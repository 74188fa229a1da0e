// One line for each event of a run, when asked for.
#pragma once

#include <cstdio>

#include <fmt/format.h>

#include "tests/sim/event_queue.hpp"

namespace pgweir::sim {

class Trace {
public:
    Trace(const EventQueue& events, bool enabled) : events_(events), enabled_(enabled) {}

    template <class... Args>
    void operator()(fmt::format_string<Args...> text, Args&&... args) const {
        if (!enabled_) return;
        fmt::print("{:12.6f} ", static_cast<double>(events_.now().us) / 1e6);
        fmt::print(text, std::forward<Args>(args)...);
        fmt::print("\n");
    }
    bool enabled() const { return enabled_; }

private:
    const EventQueue& events_;
    bool enabled_;
};

}  // namespace pgweir::sim
