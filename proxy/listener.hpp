// The listening sockets, and giving each new client to the worker with the fewest.
#pragma once

#include <string>
#include <vector>

#include <boost/asio/basic_socket_acceptor.hpp>

#include "proxy/worker.hpp"

namespace pgweir {

using Acceptor = asio::basic_socket_acceptor<asio::generic::stream_protocol>;

class Listener {
public:
    Listener(Worker& first, std::vector<Worker*> workers) : first_(first), workers_(std::move(workers)) {}
    ~Listener();

    // Opens every address of the settings. Throws std::runtime_error with PgBouncer's words when none can be had, or when
    // the Unix socket cannot.
    void open(const Settings& settings);
    void start();
    // TCP only: during a shutdown the Unix socket stays, for the console.
    void close_tcp();
    // New connections wait in the kernel's queue.
    void suspend(bool suspended);
    void close();
    // For SHOW FDS.
    std::vector<int> descriptors() const;

private:
    struct Port {
        Port(asio::io_context& io, bool unix_socket) : acceptor(io), is_unix(unix_socket) {}
        Acceptor acceptor;
        bool is_unix;
        std::string path;    // of the socket's file
    };

    void open_tcp(const std::string& address, const Settings& settings);
    void open_unix(const Settings& settings);
    Task accept(std::shared_ptr<Port> port);
    bool has_descriptors_left();
    Worker& worker_for_next();

    Worker& first_;
    std::vector<Worker*> workers_;
    std::vector<std::shared_ptr<Port>> ports_;
    TimePoint complained_at_{};
    bool suspended_ = false;
};

}  // namespace pgweir
