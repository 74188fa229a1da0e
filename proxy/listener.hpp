// The listening sockets, and giving each new client to the worker with the fewest.
#pragma once

#include <string>
#include <vector>

#include "proxy/worker.hpp"

namespace pgweir {

class Listener {
public:
    Listener(Worker& first, std::vector<Worker*> workers);
    ~Listener();

    // Opens every address of the settings. Throws std::runtime_error with PgBouncer's words when none can be had, or when
    // the Unix socket cannot.
    void open(const Settings& settings);
    void start();
    // What a new connection takes over from its listening socket.
    void apply(const Settings& settings);
    // TCP only: during a shutdown the Unix socket stays, for the console.
    void close_tcp();
    // New connections wait in the kernel's queue.
    void suspend(bool suspended);
    void close();
    // For SHOW FDS.
    std::vector<int> descriptors() const;

private:
    struct Port {
        int fd;
        bool is_unix;
        std::string path{};       // of the socket's file
        int at_once = 1;          // accepted at one event: more while they keep coming
        bool is_polled = false;
    };

    void open_tcp(const std::string& address, const Settings& settings);
    void open_unix(const Settings& settings);
    void poll(std::uint32_t port);
    void pause();
    void on_ready(std::uint32_t port);
    bool accept_one(Port& port);
    bool has_descriptors_left();
    std::uint64_t descriptors_max();
    Worker& worker_for_next();
    void close(Port& port);

    Worker& first_;
    std::vector<Worker*> workers_;
    std::vector<Port> ports_;    // on the first worker's poller, by their places here
    asio::steady_timer pause_timer_;
    TimePoint complained_at_{};
    TimePoint limit_read_at_ = TimePoint{} - Microseconds{3'600'000'000};
    std::uint64_t limit_ = 0;
    bool suspended_ = false;
};

}  // namespace pgweir
