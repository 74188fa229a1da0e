// Virtual time: what happens next, in order of time, and of planning where times are equal.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "routing/time.hpp"

namespace pgweir::sim {

class EventQueue {
public:
    using Handler = std::function<void()>;

    TimePoint now() const { return now_; }
    std::uint64_t handled() const { return handled_; }

    void at(TimePoint when, Handler handler) {
        heap_.push_back({std::max(when, now_), next_number_++, std::move(handler)});
        std::push_heap(heap_.begin(), heap_.end(), later);
    }
    void after(Microseconds delay, Handler handler) { at(now_ + delay, std::move(handler)); }

    // False: nothing is planned any more.
    bool run_next() {
        if (heap_.empty()) return false;
        std::pop_heap(heap_.begin(), heap_.end(), later);
        const Event event = std::move(heap_.back());
        heap_.pop_back();
        now_ = event.at;
        ++handled_;
        event.handler();
        return true;
    }

private:
    struct Event {
        TimePoint at;
        std::uint64_t number;
        Handler handler;
    };
    static bool later(const Event& a, const Event& b) { return a.at != b.at ? a.at > b.at : a.number > b.number; }

    std::vector<Event> heap_;
    TimePoint now_{1'000'000};
    std::uint64_t next_number_ = 0;
    std::uint64_t handled_ = 0;
};

}  // namespace pgweir::sim
