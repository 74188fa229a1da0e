#include "tests/unit/proxy/fake_line.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "tests/support/catch.hpp"

namespace pgweir::test {

class FakeLayer : public TransportLayer {
public:
    explicit FakeLayer(FakeLine& line) : line_(line) {}
    ~FakeLayer() override { line_.layer_is_gone_ = true; }
    IoResult read(int, char* into, std::size_t size) override { return line_.on_read(into, size); }
    IoResult write(int, const char* from, std::size_t size) override { return line_.on_write({from, size}); }
    bool has_buffered() const override {
        return !line_.received_.empty() && !line_.edge_owed_ && !line_.read_wants_write_;
    }

private:
    FakeLine& line_;
};

FakeLine::FakeLine(AnswerPlan& plan, bool is_client) : plan_(plan), is_client_(is_client) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) == 0);
    const int smallest = 1;  // filled fast
    ::setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &smallest, sizeof smallest);
    relay_end_ = ends[0];
    test_end_ = ends[1];
}

FakeLine::~FakeLine() { ::close(test_end_); }

Transport FakeLine::take_transport() { return Transport(relay_end_, std::make_unique<FakeLayer>(*this)); }

void FakeLine::send(Bytes bytes) {
    if (dead_ || bytes.empty()) return;
    arrived_.append(bytes);
    ::send(test_end_, "!", 1, MSG_NOSIGNAL);
}

void FakeLine::receive(std::string& into) {
    if (blocked_ && written_.size() >= room) unblock();
    into += std::exchange(written_, {});
}

bool FakeLine::settle() {
    if (layer_is_gone_) return false;
    const bool was_blocked = blocked_;
    if (blocked_) unblock();
    const bool owes_edge = edge_owed_ || write_wants_read_;
    edge_owed_ = false;
    if (owes_edge && !dead_) ::send(test_end_, "!", 1, MSG_NOSIGNAL);
    return was_blocked || owes_edge;
}

void FakeLine::block() {
    char junk[1024] = {};
    while (::send(relay_end_, junk, sizeof junk, MSG_NOSIGNAL) > 0) {
    }
    blocked_ = true;
}

void FakeLine::unblock() {
    char junk[1024];
    while (::recv(test_end_, junk, sizeof junk, 0) > 0) {
    }
    blocked_ = read_wants_write_ = false;
}

// All that the socket holds comes into the layer, whoever looks for it.
void FakeLine::pull() {
    char edges[256];
    while (::recv(relay_end_, edges, sizeof edges, 0) > 0) write_wants_read_ = false;
    received_ += std::exchange(arrived_, {});
}

IoResult FakeLine::die(IoStatus status) {
    dead_ = true;
    arrived_.clear();
    received_.clear();
    ::shutdown(test_end_, SHUT_RDWR);
    return {status, 0};
}

IoResult FakeLine::give(char* into, std::size_t size) {
    const std::size_t count = std::min({size, received_.size(), read_max});
    std::memcpy(into, received_.data(), count);
    received_.erase(0, count);
    return {IoStatus::done, count};
}

IoResult FakeLine::on_read(char* into, std::size_t size) {
    if (dead_) return {IoStatus::end, 0};
    pull();
    if (edge_owed_) return {IoStatus::again, 0};
    if (read_wants_write_) return {IoStatus::wants_write, 0};
    const auto answer = plan_.next({.is_read = true, .moves_bytes = !received_.empty(), .is_client = is_client_});
    switch (answer.value_or(Answer::half)) {
        case Answer::again: edge_owed_ = true; return {IoStatus::again, 0};
        case Answer::wants_other:
            block();
            read_wants_write_ = true;
            return {IoStatus::wants_write, 0};
        case Answer::end: return die(IoStatus::end);
        case Answer::failed: return die(IoStatus::failed);
        case Answer::one_byte: size = 1; break;
        case Answer::half:
            if (answer) size = std::max<std::size_t>(1, std::min(size, received_.size()) / 2);
            break;
    }
    return received_.empty() ? IoResult{IoStatus::again, 0} : give(into, size);
}

IoResult FakeLine::take(Bytes bytes, std::size_t most) {
    const std::size_t count = std::min({bytes.size(), most, room - std::min(room, written_.size())});
    written_.append(bytes.substr(0, count));
    not_taken_ = bytes.substr(count);
    if (count > 0) return {IoStatus::done, count};
    if (!blocked_) block();
    return {IoStatus::again, 0};
}

IoResult FakeLine::on_write(Bytes bytes) {
    if (dead_) return {IoStatus::failed, 0};
    if (!bytes.starts_with(not_taken_)) trouble_ = "bytes that were not taken were not offered again";
    if (write_wants_read_) pull();
    not_taken_ = bytes;
    if (write_wants_read_) return {IoStatus::wants_read, 0};
    if (blocked_) return {IoStatus::again, 0};
    const auto answer = plan_.next({.is_read = false, .moves_bytes = true, .is_client = is_client_});
    switch (answer.value_or(Answer::half)) {
        case Answer::again: block(); return {IoStatus::again, 0};
        case Answer::wants_other: write_wants_read_ = true; return {IoStatus::wants_read, 0};
        case Answer::end:
        case Answer::failed: return die(IoStatus::failed);
        case Answer::one_byte: return take(bytes, 1);
        case Answer::half: return take(bytes, answer ? std::max<std::size_t>(1, bytes.size() / 2) : bytes.size());
    }
    return {IoStatus::failed, 0};
}

}  // namespace pgweir::test
