#include "tests/sim/pipe.hpp"

#include <algorithm>

namespace pgweir::sim {

std::size_t Pipe::write(Bytes bytes) {
    if (abandoned_ || closed_) return bytes.size();
    const std::size_t room = traits_.capacity > bytes_.size() ? traits_.capacity - bytes_.size() : 0;
    const std::size_t taken = std::min(room, bytes.size());
    bytes_.append(bytes.substr(0, taken));
    for (std::size_t left = taken; left > 0;) {
        std::size_t piece = left;
        if (random_.percent(traits_.cut_percent))
            piece = 1 + random_.below(random_.percent(50) ? std::min<std::size_t>(left, 8) : left);
        plan(piece);
        left -= piece;
    }
    if (taken < bytes.size()) writer_waits_ = true;
    return taken;
}

void Pipe::plan(std::size_t count) {
    last_arrival_ = std::max(last_arrival_, events_.now()) + random_.span(traits_.delay_max);
    events_.at(last_arrival_, [this, count] { deliver(count); });
}

void Pipe::deliver(std::size_t count) {
    if (abandoned_ || end_arrived_) return;
    arrived_ = std::min(arrived_ + count, bytes_.size());
    if (on_readable) on_readable();
}

void Pipe::close() {
    if (closed_) return;
    closed_ = true;
    plan_end();
}

void Pipe::cut() {
    if (closed_) return;
    bytes_.resize(arrived_ + random_.below(bytes_.size() - arrived_ + 1));
    close();
}

void Pipe::reset() {
    if (was_reset_ || end_arrived_) return;
    closed_ = true;
    was_reset_ = true;
    last_arrival_ = events_.now();
    plan_end();
}

void Pipe::plan_end() {
    last_arrival_ = std::max(last_arrival_, events_.now()) + random_.span(traits_.delay_max);
    events_.at(last_arrival_, [this] {
        if (abandoned_ || end_arrived_) return;
        arrived_ = was_reset_ ? 0 : bytes_.size();
        if (was_reset_) bytes_.clear();
        end_arrived_ = true;
        if (on_readable) on_readable();
    });
}

std::string Pipe::read(std::size_t most) {
    const std::size_t count = std::min(most, arrived_);
    std::string out = bytes_.substr(0, count);
    bytes_.erase(0, count);
    arrived_ -= count;
    if (count > 0 && writer_waits_ && !closed_) {
        writer_waits_ = false;
        events_.after(random_.span(traits_.delay_max), [this] {
            if (on_writable && !closed_) on_writable();
        });
    }
    return out;
}

void Pipe::abandon() {
    abandoned_ = true;
    bytes_.clear();
    arrived_ = 0;
    events_.after(Microseconds{1}, [this] {
        if (on_writable && !closed_) on_writable();
    });
}

}  // namespace pgweir::sim
