#include "proxy/kept_bytes.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>

namespace pgweir {
namespace {

constexpr std::uint32_t blocks_max = 256;    // 1 MiB a thread

// Blocks that nobody uses, each beginning with the address of the next: no constructor, so a look at it is a load.
struct FreeBlocks {
    char* first = nullptr;
    std::uint32_t count = 0;
};
constinit thread_local FreeBlocks free_blocks;

struct FreeBlocksEnd {
    ~FreeBlocksEnd() {
        while (char* block = free_blocks.first) {
            std::memcpy(&free_blocks.first, block, sizeof block);
            std::free(block);
        }
        free_blocks.count = blocks_max;    // what is given back after this is freed
    }
};

char* allocate_new(std::uint32_t bytes) {
    static thread_local FreeBlocksEnd end;    // a thread that only gives blocks back keeps at most the megabyte
    auto* block = static_cast<char*>(std::malloc(bytes));
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

char* allocate(std::uint32_t bytes) {
    if (bytes != KeptBytes::block_bytes || free_blocks.first == nullptr) return allocate_new(bytes);
    char* block = free_blocks.first;
    std::memcpy(&free_blocks.first, block, sizeof block);
    --free_blocks.count;
    return block;
}

void deallocate(char* block, std::uint32_t bytes) {
    if (block == nullptr) return;
    if (bytes != KeptBytes::block_bytes || free_blocks.count >= blocks_max) return std::free(block);
    std::memcpy(block, &free_blocks.first, sizeof block);
    free_blocks.first = block;
    ++free_blocks.count;
}

}  // namespace

void KeptBytes::append(Bytes bytes) {
    if (bytes.empty()) return;
    if (end_ + bytes.size() > capacity_) reserve(bytes.size());
    std::memcpy(data_ + end_, bytes.data(), bytes.size());
    end_ += static_cast<std::uint32_t>(bytes.size());
}

void KeptBytes::drop(std::size_t count) {
    assert(count <= size());
    begin_ += static_cast<std::uint32_t>(count);
    if (begin_ == end_) release();
}

void KeptBytes::reserve(std::size_t more) {
    const std::size_t used = size();
    std::uint32_t capacity = std::max(capacity_, block_bytes);
    while (capacity < used + more) capacity *= 2;
    char* data = capacity == capacity_ ? data_ : allocate(capacity);
    if (used > 0) std::memmove(data, data_ + begin_, used);
    if (data != data_) deallocate(data_, capacity_);
    data_ = data;
    capacity_ = capacity;
    begin_ = 0;
    end_ = static_cast<std::uint32_t>(used);
}

void KeptBytes::release() {
    deallocate(data_, capacity_);
    data_ = nullptr;
    capacity_ = begin_ = end_ = 0;
}

}  // namespace pgweir
