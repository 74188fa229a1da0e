#include "proxy/poller.hpp"

#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace pgweir {
namespace {

constexpr std::uint32_t input_events = EPOLLIN | EPOLLRDHUP | EPOLLET;

// Edge-triggered and never read, as in wake().
void set_once(int timer, Microseconds delay) {
    const itimerspec once{.it_interval = {}, .it_value = {.tv_sec = delay.count() / 1'000'000, .tv_nsec = delay.count() % 1'000'000 * 1000}};
    ::timerfd_settime(timer, 0, &once, nullptr);
}

[[noreturn]] void fail(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

}  // namespace

Poller::Poller()
    : epoll_(::epoll_create1(EPOLL_CLOEXEC)), event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)),
      turn_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)) {
    if (epoll_ < 0 || event_ < 0 || timer_ < 0 || turn_ < 0) fail("cannot make an epoll");
    add(event_, PollToken{});
    add(timer_, PollToken{.kind = PollKind::timer});
    add(turn_, PollToken{.kind = PollKind::turn});
}

Poller::~Poller() {
    ::close(turn_);
    ::close(timer_);
    ::close(event_);
    ::close(epoll_);
}

void Poller::add(int fd, PollToken token) {
    epoll_event event{.events = input_events, .data = {.u64 = token.pack()}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void Poller::add_level(int fd, PollToken token) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = token.pack()}};
    if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) fail("epoll_ctl");
}

void Poller::watch_output(int fd, PollToken token, bool on) {
    epoll_event event{.events = input_events | (on ? EPOLLOUT : 0U), .data = {.u64 = token.pack()}};
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) { ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr); }

std::span<const epoll_event> Poller::poll(bool waits) {
    const int count = ::epoll_wait(epoll_, events_, batch_events, waits ? -1 : 0);
    return {events_, static_cast<std::size_t>(count < 0 ? 0 : count)};
}

void Poller::set_timer(Microseconds delay) { set_once(timer_, delay); }

void Poller::set_turn(Microseconds delay) { set_once(turn_, delay); }

void Poller::wake() {
    // Edge-triggered and never read: each write is an edge.
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = ::write(event_, &one, sizeof one);
}

}  // namespace pgweir
