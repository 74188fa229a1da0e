// Bytes that could not go on yet: what `send` did not take, a request that waits for a server, half a message.
//
// Holds no memory while it is empty. The usual block comes from a free list of its thread, so that waiting for a server
// allocates nothing in the steady state.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include "protocol/result.hpp"

namespace pgweir {

class KeptBytes {
public:
    static constexpr std::uint32_t block_bytes = 4096 + 64;    // one read without a server, and a little of the next

    KeptBytes() = default;
    KeptBytes(KeptBytes&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)),
          begin_(std::exchange(other.begin_, 0)), end_(std::exchange(other.end_, 0)) {}
    KeptBytes& operator=(KeptBytes&&) = delete;
    ~KeptBytes() { release(); }

    bool empty() const { return begin_ == end_; }
    std::size_t size() const { return end_ - begin_; }
    Bytes view() const { return {data_ + begin_, size()}; }

    void append(Bytes bytes);
    // Drops the first `count` bytes; the memory goes when none are left.
    void drop(std::size_t count);
    void clear() { release(); }

private:
    void reserve(std::size_t more);
    void release();

    char* data_ = nullptr;
    std::uint32_t capacity_ = 0;
    std::uint32_t begin_ = 0;
    std::uint32_t end_ = 0;
};

}  // namespace pgweir
