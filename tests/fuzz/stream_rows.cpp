// The frame scanner, by the rules of both sides: how a stream is cut makes no difference.
#include "routing/client_session.hpp"
#include "routing/server_session.hpp"
#include "tests/fuzz/fuzz_input.hpp"
#include "tests/fuzz/parsers.hpp"

namespace pgweir::test {
namespace {

// What a scanner says of a stream, but for where its pieces end. Neighbouring messages of run types are one thing.
struct Scan {
    struct Beginning {
        std::size_t at;
        char type;
        std::uint32_t length;
        bool operator==(const Beginning&) const = default;
    };
    std::vector<Beginning> messages;
    std::size_t consumed = 0;
    ProtocolError error = ProtocolError::none;

    bool operator==(const Scan&) const = default;
};

class Reader {
public:
    explicit Reader(const FrameRules& rules) : rules_(rules) {}

    void read(Bytes bytes) {
        kept_ += bytes;
        Bytes rest = kept_;
        Frame frame;
        auto status = ScanStatus::more;
        while ((status = scanner_.next(rest, rules_, frame)) == ScanStatus::piece) note(frame);
        scan_.error = scanner_.error();
        require((status == ScanStatus::error) == (scan_.error != ProtocolError::none), "an error has a reason");
        require(status == ScanStatus::error || rest.size() < std::max(rules_.gather_limit, frame_header_bytes), "little is left over");
        kept_ = std::string(rest);
    }

    const Scan& scan() const { return scan_; }

private:
    void note(const Frame& frame) {
        require(!frame.bytes.empty(), "a piece has bytes");
        const bool is_run = rules_.runs.contains(frame.type);
        if (frame.begins) {
            require(frame.bytes.size() >= frame_header_bytes && frame.bytes[0] == frame.type, "a piece begins with its header");
            if (rules_.gathered.contains(frame.type) && frame.length <= rules_.gather_limit)
                require(is_run ? frame.bytes.size() >= frame.length : frame.ends && frame.bytes.size() == frame.length,
                        "a gathered message comes whole");
            if (!is_run) scan_.messages.push_back({scan_.consumed, frame.type, frame.length});
        }
        if (!is_run && frame.begins && frame.ends) require(frame.bytes.size() == frame.length, "a piece is no longer than its message");
        scan_.consumed += frame.bytes.size();
    }

    const FrameRules& rules_;
    FrameScanner scanner_;
    std::string kept_;
    Scan scan_;
};

void fuzz_scanner(const FrameRules& rules, Bytes bytes) {
    FuzzInput input(bytes);
    Reader cut(rules);
    std::string whole;
    for (const Bytes piece : input.pieces()) {
        whole += piece;
        if (cut.scan().error == ProtocolError::none) cut.read(piece);
    }
    Reader uncut(rules);
    uncut.read(whole);
    require(cut.scan() == uncut.scan(), "a stream reads the same however it is cut");
}

std::vector<Seed> seeds_of(const std::string& file) {
    std::vector<Seed> seeds;
    std::string all;
    for (const auto& seed : wire_seeds(file)) {
        seeds.push_back({seed.name, std::string(one_by_one) + seed.bytes});
        if (!seed.name.starts_with("bad_")) all += seed.bytes;
    }
    seeds.push_back({"all", std::string("\1\6\7", 3) + all});
    return seeds;
}

}  // namespace

std::vector<FuzzParser> stream_parsers() {
    return {
        {"scanner.client", [](Bytes bytes) { fuzz_scanner(client_frames, bytes); }, [] { return seeds_of("frontend_messages.txt"); }},
        {"scanner.server", [](Bytes bytes) { fuzz_scanner(server_frames::usual, bytes); }, [] { return seeds_of("backend_messages.txt"); }},
        {"scanner.results", [](Bytes bytes) { fuzz_scanner(server_frames::of_query, bytes); }, [] { return seeds_of("backend_messages.txt"); }},
    };
}

}  // namespace pgweir::test
