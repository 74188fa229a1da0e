#include "tests/sim/faltering.hpp"

#include <string_view>
#include <utility>

#include "tests/sim/frames.hpp"

namespace pgweir::sim {
namespace {

// Anywhere but in a Bind: its error may come before its end, where a Parse must go first.
std::size_t place_to_stop(std::string_view bytes, std::size_t wanted) {
    std::size_t begin = 0;
    while (begin + whole_message(bytes.substr(begin)) <= wanted) begin += whole_message(bytes.substr(begin));
    return bytes[begin] == 'B' ? begin : wanted;
}

// The step's last part, taken off it.
Step cut_off(SeededRandom& random, Step& step) {
    const auto cut = place_to_stop(step.bytes, 1 + random.below(step.bytes.size() - 1));
    const auto pause = random.span(Microseconds{random.percent(80) ? 20'000 : 400'000});
    Step rest{.bytes = step.bytes.substr(cut), .pause = pause, .continues = true};
    step.bytes.resize(cut);
    return rest;
}

}  // namespace

void falter(SeededRandom& random, std::vector<Step>& steps) {
    for (Step& step : std::exchange(steps, {})) {
        steps.push_back(std::move(step));
        if (steps.back().bytes.size() < 2 || !random.percent(25)) continue;
        Step rest = cut_off(random, steps.back());
        steps.push_back(std::move(rest));
    }
}

}  // namespace pgweir::sim
