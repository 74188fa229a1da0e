// A table with stable places: entries are found by an id of index and generation, and an id whose entry is gone finds
// nothing. Grows by chunks, so no entry ever moves; a place freed is the next one used.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace pgweir {

template <class Entry, class IdType>
class Slab {
public:
    template <class... Args>
    IdType emplace(Args&&... args) {
        std::uint32_t index = free_;
        if (index == IdType::no_index) {
            index = size_++;
            if (index / chunk_entries == chunks_.size()) chunks_.push_back(std::make_unique<Chunk>());
        } else {
            free_ = place(index).next_free;
        }
        Place& at = place(index);
        at.entry.emplace(std::forward<Args>(args)...);
        ++live_;
        return {index, at.generation};
    }

    void erase(IdType id) {
        Place& at = place(id.index);
        at.entry.reset();
        ++at.generation;
        at.next_free = free_;
        free_ = id.index;
        --live_;
    }

    // Null when there is no such entry (any more).
    Entry* find(IdType id) {
        if (id.index >= size_) return nullptr;
        Place& at = place(id.index);
        return at.generation == id.generation && at.entry ? &*at.entry : nullptr;
    }
    const Entry* find(IdType id) const { return const_cast<Slab*>(this)->find(id); }

    // By index alone, for links inside the owner's own structures: the entry must be there.
    Entry& at(std::uint32_t index) { return *place(index).entry; }
    const Entry& at(std::uint32_t index) const { return const_cast<Slab*>(this)->at(index); }
    IdType id_of(std::uint32_t index) const { return {index, const_cast<Slab*>(this)->place(index).generation}; }
    bool holds(std::uint32_t index) const { return index < size_ && const_cast<Slab*>(this)->place(index).entry.has_value(); }

    std::uint32_t index_end() const { return size_; }
    std::uint32_t live() const { return live_; }

private:
    struct Place {
        std::optional<Entry> entry;
        std::uint32_t generation = 1;
        std::uint32_t next_free = IdType::no_index;
    };
    static constexpr std::uint32_t chunk_entries = 256;
    using Chunk = std::array<Place, chunk_entries>;

    Place& place(std::uint32_t index) { return (*chunks_[index / chunk_entries])[index % chunk_entries]; }

    std::vector<std::unique_ptr<Chunk>> chunks_;
    std::uint32_t size_ = 0;
    std::uint32_t live_ = 0;
    std::uint32_t free_ = IdType::no_index;
};

}  // namespace pgweir
