// Long answers, taken in larger pieces than the server sends.
//
// PostgreSQL sends a result 8 kB at a time. Each piece would cost a wake-up, a receive, a send, and with TLS a record. So
// while an answer goes on and on, its socket wakes nobody for less than `stream_mark` bytes (SO_RCVLOWAT). The end of the
// answer, or a server that becomes slow, is less than that: a timer gives up the mark where nothing has come since it last
// looked, so what waits does so for two milliseconds at most, once in `stream_bytes_min`.
#include <sys/socket.h>

#include "proxy/relay.hpp"

namespace pgweir {
namespace {

constexpr std::size_t stream_read_min = 4096;           // a shorter read is no part of a stream
constexpr std::uint32_t stream_bytes_min = 256 * 1024;
constexpr int stream_mark = 128 * 1024;
constexpr Microseconds look_period{1'000};

void set_mark(const ServerConnection& server, int bytes) {
    ::setsockopt(server.transport.fd(), SOL_SOCKET, SO_RCVLOWAT, &bytes, sizeof bytes);
}

}  // namespace

// After each read of a server: so many bytes came, and have been passed on.
void Relay::note_stream(ServerConnection& server, std::size_t bytes) {
    const bool goes_on = !server.session.ledger.empty() && bytes >= stream_read_min;
    if (!goes_on) {
        server.streamed = 0;
        if (server.is_marked) end_stream(server);
        return;
    }
    server.streamed += static_cast<std::uint32_t>(bytes);
    if (!server.is_marked && server.streamed >= stream_bytes_min) begin_stream(server);
}

void Relay::begin_stream(ServerConnection& server) {
    server.is_marked = true;
    server.seen_streamed = 0;
    set_mark(server, stream_mark);
    if (streams_.empty()) poller_.set_timer(look_period);
    streams_.push_back(server.place);
}

void Relay::end_stream(ServerConnection& server) {
    server.is_marked = false;
    server.streamed = 0;
    set_mark(server, 1);
    std::erase(streams_, server.place);
}

void Relay::look_at_streams() {
    for (std::size_t i = 0; i < streams_.size();) {
        if (!servers_.holds(streams_[i].index) || servers_.at(streams_[i].index)->place != streams_[i]) {
            streams_.erase(streams_.begin() + static_cast<std::ptrdiff_t>(i));
            continue;
        }
        ServerConnection& server = *servers_.at(streams_[i].index);
        if (server.streamed != server.seen_streamed) {
            server.seen_streamed = server.streamed;
            ++i;
            continue;
        }
        end_stream(server);    // off the list
        server.edge_missed = true;
        make_ready(server);
    }
    if (!streams_.empty()) poller_.set_timer(look_period);
}

}  // namespace pgweir
