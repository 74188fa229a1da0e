#include "proxy/kept_bytes.hpp"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>
#include <new>
#include <vector>

namespace pgweir {
namespace {

constexpr std::size_t blocks_max = 256;    // 1 MiB a thread

struct FreeBlocks {
    FreeBlocks() { blocks.reserve(blocks_max); }
    ~FreeBlocks() {
        for (char* block : blocks) std::free(block);
    }
    std::vector<char*> blocks;
};

thread_local FreeBlocks free_blocks;

char* allocate(std::uint32_t bytes) {
    if (bytes == KeptBytes::block_bytes && !free_blocks.blocks.empty()) {
        char* block = free_blocks.blocks.back();
        free_blocks.blocks.pop_back();
        return block;
    }
    auto* block = static_cast<char*>(std::malloc(bytes));
    if (block == nullptr) throw std::bad_alloc();
    return block;
}

void deallocate(char* block, std::uint32_t bytes) {
    if (block == nullptr) return;
    if (bytes == KeptBytes::block_bytes && free_blocks.blocks.size() < blocks_max)
        free_blocks.blocks.push_back(block);
    else
        std::free(block);
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
