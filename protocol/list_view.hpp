// Repeated fields of a message: parameters, values, columns, error fields.
//
// A `ListView` is the bytes of the elements, validated once when read, and walked without allocating. `ListBuilder` owns
// such bytes, for messages of our own. An element is a policy: the type it gives, `read` and `write`.
#pragma once

#include <cassert>
#include <cstddef>
#include <iterator>
#include <string>

#include "protocol/body_reader.hpp"
#include "protocol/body_writer.hpp"

namespace pgweir {

template <class Element>
class ListView {
public:
    using value_type = typename Element::Value;

    class Iterator {
    public:
        using value_type = typename Element::Value;
        using difference_type = std::ptrdiff_t;

        Iterator(Bytes elements, std::size_t count) : rest_(elements), left_(count) { read_current(); }

        const value_type& operator*() const { return current_; }
        const value_type* operator->() const { return &current_; }

        Iterator& operator++() {
            --left_;
            read_current();
            return *this;
        }
        void operator++(int) { ++*this; }

        bool operator==(std::default_sentinel_t) const { return left_ == 0; }

    private:
        void read_current() {
            if (left_ > 0) current_ = Element::read(rest_);
        }

        BodyReader rest_;
        std::size_t left_;
        value_type current_{};
    };

    ListView() = default;

    // `elements` must be exactly `count` elements, as `read_counted` and `read_terminated` have made sure.
    ListView(Bytes elements, std::size_t count) : elements_(elements), count_(count) {}

    Iterator begin() const { return Iterator(elements_, count_); }
    std::default_sentinel_t end() const { return {}; }

    std::size_t size() const { return count_; }
    bool empty() const { return count_ == 0; }

    // The elements as they stand in the body, without count or terminator.
    Bytes elements() const { return elements_; }

    bool operator==(const ListView&) const = default;

private:
    Bytes elements_;
    std::size_t count_ = 0;
};

// The next `count` elements. A count that the body cannot hold ends with the body: nothing is set aside for it.
template <class Element>
ListView<Element> read_elements(BodyReader& body, std::size_t count) {
    BodyReader start = body;
    for (std::size_t i = 0; i < count && !body.failed(); ++i) Element::read(body);
    return {start.bytes(static_cast<std::int64_t>(start.remaining() - body.remaining())), count};
}

// A 16-bit count, then the elements. PostgreSQL reads these counts unsigned: up to 65,535 parameters.
template <class Element>
ListView<Element> read_counted(BodyReader& body) {
    const auto count = static_cast<std::uint16_t>(body.int16());
    return read_elements<Element>(body, count);
}

// Elements up to a zero byte, for elements that cannot begin with one.
template <class Element>
ListView<Element> read_terminated(BodyReader& body) {
    BodyReader start = body;
    for (std::size_t count = 0;; ++count) {
        BodyReader behind_terminator = body;
        if (behind_terminator.byte() == '\0') {   // also when the body has ended or failed, which the reader remembers
            const auto length = static_cast<std::int64_t>(start.remaining() - body.remaining());
            body = behind_terminator;
            return {start.bytes(length), count};
        }
        Element::read(body);
    }
}

template <class Element>
void write_counted(BodyWriter& body, const ListView<Element>& list) {
    assert(list.size() <= 65535);
    body.int16(static_cast<std::int16_t>(list.size()));
    body.bytes(list.elements());
}

template <class Element>
void write_terminated(BodyWriter& body, const ListView<Element>& list) {
    body.bytes(list.elements());
    body.byte('\0');
}

// Elements of our own making. Its views are valid until the next change.
template <class Element>
class ListBuilder {
public:
    ListBuilder& add(const typename Element::Value& value) {
        BodyWriter body(elements_);
        Element::write(body, value);
        ++count_;
        return *this;
    }

    void clear() {
        elements_.clear();
        count_ = 0;
    }

    ListView<Element> view() const& { return {elements_, count_}; }
    ListView<Element> view() const&& = delete;   // would outlive its bytes

private:
    std::string elements_;
    std::size_t count_ = 0;
};

}  // namespace pgweir
