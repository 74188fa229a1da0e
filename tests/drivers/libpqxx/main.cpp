// libpqxx 6 through the proxy: named statements, a pipeline, streams (COPY), cursors.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <future>
#include <iostream>
#include <pqxx/pqxx>
#include <set>
#include <sstream>
#include <thread>
#include <vector>

namespace {

const int clients = std::atoi(std::getenv("CLIENTS"));
const int servers = std::atoi(std::getenv("SERVERS"));
const bool in_session_pool = std::getenv("POOL_MODE") == std::string{"session"};
const bool over_tls = std::getenv("PGSSLROOTCERT") != nullptr;
const char backend[] = "select pg_backend_pid() || ' ' || txid_current()";

template <class Left, class Right>
void same(const Left& got, const Right& wanted) {
    if (got == wanted) return;
    std::ostringstream text;
    text << got << ", not " << wanted;
    throw std::runtime_error{text.str().substr(0, 300)};
}

template <class Error>
void fails(const std::function<void()>& work) {
    try { work(); } catch (const Error&) { return; }
    throw std::runtime_error{"no error came"};
}

template <class T>
T one(pqxx::transaction_base& transaction, const std::string& sql) { return transaction.exec1(sql)[0].as<T>(); }

// Each client has a thread and a connection, by libpq's environment.
void on_many_clients(const std::function<void(pqxx::connection&, int)>& work) {
    std::vector<std::future<void>> running;
    for (int number = 0; number < clients; ++number)
        running.push_back(std::async(std::launch::async, [&work, number] {
            pqxx::connection client{""};
            work(client, number);
        }));
    for (auto& each : running) each.get();
}

void is_as_secure_as_asked_for() {
    pqxx::connection client{""};
    pqxx::nontransaction plain{client};
    same(one<bool>(plain, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"), over_tls);
}

void each_gets_its_own_answers() {
    on_many_clients([](pqxx::connection& client, int number) {
        pqxx::nontransaction plain{client};
        for (int turn = 0; turn < 40; ++turn)
            same(plain.exec_params("select $1::int * 1000 + $2::int", number, turn)[0][0].as<int>(), number * 1000 + turn);
    });
}

void statements_are_found_again() {
    on_many_clients([](pqxx::connection& client, int number) {
        client.prepare("add", "select $1::int + " + std::to_string(number % 5));
        for (int turn = 0; turn < 20; ++turn) {
            pqxx::work work{client};
            same(work.exec_prepared1("add", turn)[0].as<int>(), turn + number % 5);
            work.commit();
        }
    });
}

void a_statement_is_given_up() {
    on_many_clients([](pqxx::connection& client, int number) {
        for (int turn = 0; turn < 5; ++turn) {
            client.prepare("add", "select $1::int + " + std::to_string(turn));
            pqxx::nontransaction plain{client};
            same(plain.exec_prepared1("add", number)[0].as<int>(), number + turn);
            client.unprepare("add");
        }
    });
}

void transactions_commit_and_roll_back() {
    pqxx::connection owner{""};
    { pqxx::nontransaction plain{owner}; plain.exec("create table kept (n int)"); }
    on_many_clients([](pqxx::connection& client, int number) {
        pqxx::work work{client};
        const auto first = one<std::string>(work, backend);
        work.exec_params("insert into kept values ($1)", number);
        fails<pqxx::data_exception>([&] {
            pqxx::subtransaction deeper{work};
            deeper.exec("insert into kept values ('no number')");
        });
        same(one<std::string>(work, backend), first);
        work.commit();
        pqxx::work undone{client};
        undone.exec("insert into kept values (-2)");
    });
    pqxx::nontransaction plain{owner};
    same(one<std::string>(plain, "select sum(n) || '/' || count(*) from kept"), std::to_string(clients * (clients - 1) / 2) + "/" + std::to_string(clients));
}

void an_error_leaves_the_session_usable() {
    on_many_clients([](pqxx::connection& client, int) {
        for (int turn = 0; turn < 10; ++turn) {
            pqxx::work work{client};
            fails<pqxx::undefined_column>([&] { work.exec("select no_such_column"); });
            work.abort();
            pqxx::work next{client};
            same(one<int>(next, "select 7"), 7);
        }
    });
}

void values_arrive_unchanged() {
    pqxx::connection client{""};
    pqxx::work work{client};
    std::string text;
    for (int n = 0; n < 400000; ++n) text += "wéir\n";
    same(work.exec_params1("select $1::text", text)[0].as<std::string>() == text, true);
    const pqxx::row row = work.exec_params1("select $1::int, $2::date, $3::numeric, $4::int[]", nullptr, "2024-02-29", "12345678901234567890.123456789", "{1,NULL,3}");
    same(row[0].is_null(), true);
    same(std::string{row[1].c_str()} + row[2].c_str() + row[3].c_str(), "2024-02-2912345678901234567890.123456789{1,NULL,3}");
    std::string blob;
    for (int n = 0; n < 2000000; ++n) blob += static_cast<char>(n * 7);
    same(pqxx::binarystring{work.exec_params1("select $1::bytea", pqxx::binarystring{blob})[0]}.str() == blob, true);
}

void streams_agree() {
    pqxx::connection client{""};
    pqxx::work work{client};
    work.exec("create temp table copied (n int, t text) on commit drop");
    pqxx::stream_to in{work, "copied"};
    for (int n = 0; n < 5000; ++n) in << std::make_tuple(n, std::string(static_cast<std::size_t>(n % 700), 'x'));
    in.complete();
    pqxx::stream_from out{work, "copied"};
    std::tuple<int, std::string> row;
    long rows = 0, sum = 0, length = 0;
    for (; out >> row; ++rows) sum += std::get<0>(row), length += static_cast<long>(std::get<1>(row).size());
    same(rows == 5000 && sum == 12497500 && length == one<long>(work, "select sum(n % 700) from copied"), true);
}

void a_pipeline_is_answered_in_order() {
    on_many_clients([](pqxx::connection& client, int number) {
        pqxx::work work{client};
        pqxx::pipeline queries{work};
        std::vector<pqxx::pipeline::query_id> asked;
        for (int n = 0; n < 50; ++n) asked.push_back(queries.insert("select " + std::to_string(number * 100 + n)));
        for (int n = 0; n < 50; ++n) same(queries.retrieve(asked[static_cast<std::size_t>(n)])[0][0].as<int>(), number * 100 + n);
    });
}

void a_cursor_reads_part_by_part() {
    on_many_clients([](pqxx::connection& client, int) {
        pqxx::work work{client};
        pqxx::icursorstream cursor{work, "select n from generate_series(1, 500) n", "many", 70};
        long sum = 0;
        for (pqxx::result part; cursor >> part;)
            for (const auto& row : part) sum += row[0].as<int>();
        same(sum, 125250L);
    });
}

void a_cancel_ends_its_own_query() {
    on_many_clients([](pqxx::connection& client, int number) {
        pqxx::nontransaction plain{client};
        if (number > 0) {
            for (int turn = 0; turn < 20; ++turn) same(plain.exec_params1("select $1::int from pg_sleep(0.01)", turn)[0].as<int>(), turn);
            return;
        }
        std::thread canceller{[&client] {
            std::this_thread::sleep_for(std::chrono::milliseconds{500});
            client.cancel_query();
        }};
        fails<pqxx::sql_error>([&] { plain.exec("select pg_sleep(60)"); });
        canceller.join();
        same(one<int>(plain, "select 4"), 4);
    });
}

void servers_are_shared() {
    std::vector<std::unique_ptr<pqxx::connection>> all;
    std::set<int> used;
    for (int n = 0; n < clients; ++n) all.push_back(std::make_unique<pqxx::connection>(""));
    for (int turn = 0; turn < 3; ++turn)
        for (auto& client : all) used.insert(one<int>(*std::make_unique<pqxx::nontransaction>(*client), "select pg_backend_pid()"));
    same(static_cast<int>(used.size()) <= servers, true);
}

struct NewsReceiver : pqxx::notification_receiver {
    std::string news;
    explicit NewsReceiver(pqxx::connection& client) : notification_receiver{client, "news"} {}
    void operator()(const std::string& payload, int) override { news = payload; }
};

void notifications_arrive() {
    pqxx::connection listener{""}, teller{""};
    NewsReceiver receiver{listener};
    { pqxx::nontransaction plain{teller}; plain.exec("notify news, 'flood'"); }
    for (int turn = 0; turn < 60 && receiver.news.empty(); ++turn) listener.await_notification(1, 0);
    same(receiver.news, "flood");
}

bool holds(const char* name, void (*check)()) {
    try {
        check();
        std::cout << "ok " << name << std::endl;
        return true;
    } catch (const std::exception& error) {
        std::string why = error.what();
        for (auto& character : why) if (character == '\n') character = ' ';
        std::cout << "FAILED " << name << ": " << why << std::endl;
        return false;
    }
}

} // namespace

int main() {
    bool good = holds("the connection is as secure as asked for", is_as_secure_as_asked_for);
    good &= holds("each client gets its own answers", each_gets_its_own_answers);
    good &= holds("prepared statements are found again", statements_are_found_again);
    good &= holds("a statement is given up and its name used again", a_statement_is_given_up);
    good &= holds("transactions commit and roll back", transactions_commit_and_roll_back);
    good &= holds("an error leaves the session usable", an_error_leaves_the_session_usable);
    good &= holds("values arrive unchanged", values_arrive_unchanged);
    good &= holds("copy in and out agree", streams_agree);
    good &= holds("a pipeline is answered in order", a_pipeline_is_answered_in_order);
    good &= holds("a cursor reads part by part", a_cursor_reads_part_by_part);
    good &= holds("a cancel ends its own query only", a_cancel_ends_its_own_query);
    good &= in_session_pool ? holds("notifications arrive", notifications_arrive) : holds("servers are shared", servers_are_shared);
    return good ? 0 : 1;
}
