#include "tests/sim/script.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tests/sim/client_messages.hpp"
#include "tests/sim/faltering.hpp"
#include "tests/sim/model_server.hpp"
#include "tests/sim/prepared_script.hpp"

namespace pgweir::sim {
namespace {

class Writer {
public:
    Writer(SeededRandom& random, const ScriptTraits& traits)
        : random_(random),
          traits_(traits),
          prepared_(random, {.reuses_unnamed = traits.keeps_session || keeps_unnamed_statement,
                             .parses_in_blocks = traits.keeps_session || refuses_parse_in_failed_block}) {}

    Script write() {
        script_.reads_slowly = random_.percent(15);
        hurried_ = random_.percent(20);
        careless_ = random_.percent(20);
        uses_names_ = traits_.keeps_names && random_.percent(70);
        const auto exchanges = random_.between(1, 12);
        for (int i = 0; i < exchanges; ++i) {
            if (!traits_.avoids_blocks ? random_.percent(25) : random_.percent(3))
                block();
            else
                exchange();
        }
        end();
        return std::move(script_);
    }

private:
    // A step of its own, or more bytes of the last one.
    void send(std::string bytes, Wait wait) {
        if (wait == Wait::none && !script_.steps.empty() && random_.percent(70)) {
            script_.steps.back().bytes += bytes;
            return;
        }
        script_.steps.push_back({std::move(bytes), wait, pause()});
    }
    Microseconds pause() {
        return random_.percent(60) ? Microseconds{0}
                                   : random_.span(Microseconds{random_.percent(8) ? 4'000'000 : 20'000});
    }
    Wait usual_wait() { return random_.percent(hurried_ ? 20 : 85) ? Wait::settled : Wait::none; }

    std::string tag() { return fmt::format("{}.{}.{}", traits_.client, request_, place_++); }
    int row_size() {
        return static_cast<int>(random_.percent(90) ? random_.between(1, 200) : random_.between(200, 9000));
    }

    std::string statement() {
        const auto mark = "/*" + tag() + "*/";
        switch (random_.between(0, 11)) {
            case 0: return fmt::format("{}ERROR", mark);
            case 1: return fmt::format("{}NOTICE {}", mark, random_.between(1, 3));
            case 2:
                return fmt::format("{}SLEEP {}", mark,
                                   random_.percent(90) ? random_.between(1, 30) : random_.between(30, 1500));
            case 3:
                return fmt::format("{}ROWS {} {} {}", mark, random_.between(1, 6), row_size(), random_.between(0, 5));
            case 4:
                return fmt::format("{}COPYOUT {} {} {}", mark, random_.between(0, 5), row_size(),
                                   random_.between(-4, 4));
            case 5:
            case 6:
                return fmt::format("{}SET {}='{}'", mark,
                                   guc_names[random_.percent(50) ? guc_date_style : guc_interval_style],
                                   random_.percent(10) ? "!bad" : random_.pick({"iso", "german", "sql", "+postgres"}));
            default: return fmt::format("{}ROWS {} {} -1", mark, random_.between(0, 6), row_size());
        }
    }
    std::string parse_unnamed(const std::string& sql) {
        prepared_.forget_unnamed();
        return parse("", sql);
    }
    std::string one_word(const char* word) { return fmt::format("/*{}*/{}", tag(), word); }

    void exchange() {
        ++request_;
        place_ = 0;
        if (careless_ && random_.percent(30)) send(copy_rows(1), usual_wait());    // that nobody waits for
        switch (random_.between(0, 19)) {
            case 0:
            case 1: return copy_in_simple();
            case 2:
            case 3: return copy_in_extended();
            case 4: return function_call();
            case 5: return send(random_.percent(50) ? query("") : query(one_word("BADSYNTAX")), usual_wait());
            case 6: return odd_bytes();
            case 7:
            case 8:
            case 9:
            case 10:
            case 11: return pipeline();
            case 12:
            case 13:
            case 14: return uses_names_ ? prepared() : simple();
            default: return simple();
        }
    }

    void simple() {
        std::string sql;
        const auto count = random_.percent(75) ? 1 : random_.between(2, 4);
        for (int i = 0; i < count; ++i) sql += statement() + (i + 1 < count ? ";" : "");
        send(query(sql), usual_wait());
    }

    void block() {
        script_.opens_block = true;
        ++request_;
        place_ = 0;
        send(query(one_word("BEGIN")), usual_wait());
        in_block_ = true;
        const auto exchanges = random_.between(0, 4);
        for (int i = 0; i < exchanges; ++i) exchange();
        in_block_ = false;
        ++request_;
        place_ = 0;
        const bool commits = random_.percent(70);
        if (uses_names_ && random_.percent(20))
            return send(prepared_.end_of_block(commits, [this] { return tag(); }) + frame('S'), usual_wait());
        const char* word = commits ? "COMMIT" : "ROLLBACK";
        if (random_.percent(80)) return send(query(one_word(word)), usual_wait());
        send(parse_unnamed(one_word(word)) + bind_to("", "") + execute("", 0) + frame('S'), usual_wait());
    }

    // Parse, Bind, Execute and their kin, once or more before a Sync, and several Syncs in one write.
    void pipeline() {
        const auto syncs = random_.percent(60) ? 1 : random_.between(2, 6);
        for (int i = 0; i < syncs; ++i) {
            const auto runs = random_.percent(70) ? 1 : random_.between(0, 4);
            for (int run = 0; run < runs; ++run) series();
            if (i + 1 == syncs && random_.percent(4)) {
                send(query(statement()), Wait::none);  // a Query ends the series as well
                continue;
            }
            send(frame('S'), Wait::none);
        }
        settle();
    }

    void series() {
        std::string bytes = parse_unnamed(random_.percent(5)   ? one_word("BADSYNTAX")
                                      : random_.percent(5) ? ""
                                                           : statement());
        if (random_.percent(20)) bytes += describe('S', "");
        bytes += bind_to("", random_.percent(4) ? "unknown" : "");
        if (random_.percent(50)) bytes += describe('P', random_.percent(4) ? "unknown" : "");
        const auto executes = random_.percent(80) ? 1 : random_.between(2, 3);
        for (int i = 0; i < executes; ++i)
            bytes += execute("", static_cast<int>(random_.percent(70) ? 0 : random_.between(1, 3)));
        if (random_.percent(15)) bytes += close('P', "");
        if (random_.percent(10)) bytes += close('S', "");
        send(bytes, Wait::none);
        if (random_.percent(15)) send(frame('H'), Wait::none);
    }

    // Prepared statements, kept from one request to the next.
    void prepared() {
        const auto chance = random_.between(0, 99);
        if (chance < 5) return forget("DEALLOCATE ALL");
        if (chance < 8 && traits_.discards) return forget("DISCARD ALL");
        const auto syncs = random_.percent(75) ? 1 : random_.between(2, 4);
        for (int i = 0; i < syncs; ++i) {
            send(prepared_.series(in_block_, [this] { return tag(); }), Wait::none);
            if (random_.percent(10)) send(frame('H'), Wait::none);
            send(frame('S'), Wait::none);
        }
        settle();
    }

    // Alone or behind something else, and so long that it arrives in pieces; now and then with more right behind it.
    void forget(const char* words) {
        prepared_.forget();
        // DISCARD ALL is for a Query of its own.
        std::string sql = words[1] == 'E' && random_.percent(40) ? statement() + ';' : "";
        if (random_.percent(40)) sql += std::string(static_cast<std::size_t>(random_.between(600, 2000)), ' ');
        send(query(sql + one_word(words)), usual_wait());
        if (random_.percent(60)) send(prepared_.series(in_block_, [this] { return tag(); }) + frame('S'), Wait::none);
        settle();
    }

    void function_call() {
        std::string body;
        append_int32(body, 1);
        append_int16(body, 0);
        append_int16(body, 1);
        const auto argument = tag() + (random_.percent(20) ? "!" : "");
        append_int32(body, static_cast<std::int64_t>(argument.size()));
        body += argument;
        append_int16(body, 0);
        send(frame('F', body), usual_wait());
    }

    int copy_fails_after() { return static_cast<int>(random_.percent(60) ? -1 : random_.between(0, 4)); }

    std::string copy_rows(int least = 0) {
        std::string bytes;
        const auto rows = random_.between(least, std::max(least, 6));
        for (int i = 0; i < rows; ++i) bytes += frame('d', std::string(static_cast<std::size_t>(row_size()), 'x'));
        return bytes;
    }
    std::string copy_end() { return random_.percent(80) ? frame('c') : frame('f', zero_ended("no more")); }

    // A COPY that fails needs no end. Whoever leaves it out has seen the error; some data may come even later.
    bool breaks_off(int fails_after) { return fails_after >= 0 && random_.percent(40); }

    void copy_in_simple() {
        const int fails_after = copy_fails_after();
        const auto sql = fmt::format("/*{}*/COPYIN {} 0", tag(), fails_after);
        send(query(random_.percent(80) ? sql : sql + ";" + statement()), usual_wait());
        const bool ends = !breaks_off(fails_after);
        send(copy_rows(ends ? 0 : fails_after), random_.percent(60) ? Wait::heard : Wait::none);
        if (random_.percent(ends ? 50 : 70)) send(copy_rows(), ends || random_.percent(30) ? Wait::none : Wait::settled);
        if (!ends) return send("", Wait::settled);
        send(copy_end(), Wait::none);
        settle();
    }

    // libpq sends Sync right behind the Execute and another one behind the data; others send Flush, or nothing.
    void copy_in_extended() {
        const bool sync_first = random_.percent(60);
        const int fails_after = copy_fails_after();
        const auto sql = fmt::format("/*{}*/COPYIN {} {}", tag(), fails_after, sync_first ? 1 : 0);
        prepared_.spoil_unnamed();
        std::string bytes = parse_unnamed(sql) + bind_to("", "");
        if (random_.percent(50)) bytes += describe('P', "");
        bytes += execute("", 0);
        if (sync_first)
            bytes += frame('S');
        else if (random_.percent(60))
            bytes += frame('H');
        // libpq waits for the response before it goes on.
        const bool waits = sync_first || random_.percent(50);
        send(bytes, usual_wait());
        const bool ends = !breaks_off(fails_after);
        send(copy_rows(ends ? 0 : fails_after), waits ? Wait::heard : Wait::none);
        if (random_.percent(30)) send(copy_rows(), Wait::none);
        if (!ends && random_.percent(20)) send(query(statement()), Wait::settled);    // nobody looks at it
        send((ends ? copy_end() : "") + frame('S'), ends ? Wait::none : Wait::settled);
        settle();
    }

    // What drivers do now and then: Sync or Flush alone, COPY data that nobody waits for, a statement with a name.
    void odd_bytes() {
        switch (random_.between(0, 7)) {
            case 0: return send(frame('H') + frame('S'), usual_wait());
            case 1: return send(copy_rows() + query(statement()), usual_wait());
            case 2: return send(frame('c') + frame('S') + frame('S'), usual_wait());
            case 3:
                if (!random_.percent(20)) return simple();
                script_.names_statement = true;
                return send(parse("of " + tag(), statement()) + frame('S'), usual_wait());
            default: return send(frame('S'), usual_wait());
        }
    }

    void settle() {
        if (!hurried_ || random_.percent(50)) send("", Wait::settled);
    }

    void end() {
        script_.ends_in_order = random_.percent(70);
        send(frame('X'), script_.ends_in_order ? Wait::settled : Wait::none);
        if (random_.percent(30)) falter(random_, script_.steps);
        if (!traits_.vanishes) return;
        std::size_t total = 0;
        for (const Step& step : script_.steps) total += step.bytes.size();
        script_.vanishes = true;
        script_.vanishes_by_reset = random_.percent(40);
        script_.vanishes_after = random_.below(total);
    }

    SeededRandom& random_;
    ScriptTraits traits_;
    Script script_;
    PreparedScript prepared_;
    bool hurried_ = false;
    bool careless_ = false;
    bool uses_names_ = false;
    bool in_block_ = false;
    int request_ = 0;
    int place_ = 0;
};

}  // namespace

Script make_script(SeededRandom& random, const ScriptTraits& traits) { return Writer(random, traits).write(); }

}  // namespace pgweir::sim
