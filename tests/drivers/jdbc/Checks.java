// JDBC (pgjdbc) through the proxy, with its defaults: a statement run five times gets a name on the server.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
import java.io.StringReader;
import java.io.StringWriter;
import java.math.BigDecimal;
import java.sql.*;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.util.*;
import java.util.concurrent.*;
import org.postgresql.PGConnection;

public class Checks {
    static final Map<String, String> environment = System.getenv();
    static final int clients = Integer.parseInt(environment.get("CLIENTS")), servers = Integer.parseInt(environment.get("SERVERS"));
    static final boolean inSessionPool = environment.get("POOL_MODE").equals("session");
    static final String caFile = environment.get("PGSSLROOTCERT");

    interface Work<T> { T run(Connection connection, int number) throws Exception; }
    interface Check { void run() throws Exception; }

    static Connection connect() throws SQLException {
        String tls = caFile == null ? "" : "?sslmode=verify-full&sslrootcert=" + caFile;
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + environment.get("PGPORT") + "/"
            + environment.get("PGDATABASE") + tls, environment.get("PGUSER"), environment.get("PGPASSWORD"));
    }

    static <T> List<T> onManyClients(Work<T> work) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(clients);
        try {
            List<Future<T>> running = new ArrayList<>();
            for (int n = 0; n < clients; n++) {
                final int number = n;
                running.add(threads.submit(() -> { try (Connection connection = connect()) { return work.run(connection, number); } }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> each : running) results.add(each.get(90, TimeUnit.SECONDS));
            return results;
        } finally { threads.shutdownNow(); }
    }

    static Object one(Connection connection, String sql, Object... values) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int n = 0; n < values.length; n++) statement.setObject(n + 1, values[n]);
            try (ResultSet rows = statement.executeQuery()) { rows.next(); return rows.getObject(1); }
        }
    }
    static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) { statement.execute(sql); }
    }
    static void same(Object got, Object wanted) {
        if (!Objects.deepEquals(got, wanted)) throw new AssertionError(got + ", not " + wanted);
    }
    static void fails(String state, Check check) throws Exception {
        try { check.run(); } catch (SQLException error) { same(error.getSQLState(), state); return; }
        throw new AssertionError("no error came, " + state + " was due");
    }

    static void eachClientGetsItsOwnAnswers() throws Exception {
        onManyClients((connection, number) -> {
            try (PreparedStatement statement = connection.prepareStatement("select ? * 1000 + ?")) {
                for (int turn = 0; turn < 40; turn++) {
                    statement.setInt(1, number);
                    statement.setInt(2, turn);
                    try (ResultSet rows = statement.executeQuery()) { rows.next(); same(rows.getInt(1), number * 1000 + turn); }
                }
            }
            connection.setAutoCommit(false);    // the server that has just run one, not one that is new
            one(connection, "select ? * 1000 + ?", 1, 2);
            same((Long) one(connection, "select count(*) from pg_prepared_statements where not from_sql") >= 1, true);
            connection.commit();
            return null;
        });
    }

    static void serversAreShared() throws Exception {
        CyclicBarrier together = new CyclicBarrier(clients);
        List<Object> pids = onManyClients((connection, number) -> {
            together.await(60, TimeUnit.SECONDS);
            Object pid = one(connection, "select pg_backend_pid()");
            together.await(60, TimeUnit.SECONDS);
            return pid;
        });
        int used = new HashSet<>(pids).size();
        same(used >= 1 && used <= servers ? "shared" : used + " servers", "shared");
    }

    static void transactionsCommitAndRollBack() throws Exception {
        try (Connection connection = connect()) { execute(connection, "create table kept (n int)"); }
        onManyClients((connection, number) -> {
            connection.setAutoCommit(false);
            for (int turn = 0; turn < 8; turn++) {          // beyond the threshold: BEGIN and COMMIT are named then, too
                Object first = one(connection, "select pg_backend_pid()::text || ' ' || txid_current()");
                if (turn == 0) execute(connection, "insert into kept values (" + number + ")");
                Savepoint savepoint = connection.setSavepoint();
                fails("22P02", () -> execute(connection, "insert into kept values ('no number')"));
                connection.rollback(savepoint);
                same(one(connection, "select pg_backend_pid()::text || ' ' || txid_current()"), first);
                connection.commit();
                execute(connection, "insert into kept values (-1)");
                connection.rollback();
            }
            return null;
        });
        try (Connection connection = connect()) { same(one(connection, "select sum(n) || '/' || count(*) from kept"), clients * (clients - 1) / 2 + "/" + clients); }
    }

    static void anErrorLeavesTheSessionUsable() throws Exception {
        onManyClients((connection, number) -> {
            try (PreparedStatement division = connection.prepareStatement("select 100 / ?")) {
                for (int turn = 0; turn < 20; turn++) {
                    division.setInt(1, turn % 2);
                    if (turn % 2 == 0) fails("22012", () -> division.executeQuery());
                    else try (ResultSet rows = division.executeQuery()) { rows.next(); same(rows.getInt(1), 100); }
                }
            }
            connection.setAutoCommit(false);
            fails("42703", () -> one(connection, "select no_such_column"));
            fails("25P02", () -> one(connection, "select 1"));
            connection.rollback();
            same(one(connection, "select 2"), 2);
            return null;
        });
    }

    static void batchesAreCarriedOutWholeOrNotAtAll() throws Exception {
        try (Connection connection = connect()) { execute(connection, "create table batched (client int, n int, t text)"); }
        onManyClients((connection, number) -> {
            try (PreparedStatement insert = connection.prepareStatement("insert into batched values (?, 1000 / ?, ?)")) {
                for (int n = 1; n <= 1000; n++) { insert.setInt(1, number); insert.setInt(2, n); insert.setString(3, "x".repeat(n % 300)); insert.addBatch(); }
                same(insert.executeBatch().length, 1000);
                for (int n = -50; n <= 50; n++) { insert.setInt(1, number); insert.setInt(2, n); insert.setString(3, "lost"); insert.addBatch(); }
                connection.setAutoCommit(false);
                try { insert.executeBatch(); throw new AssertionError("no error came"); }
                catch (BatchUpdateException error) { same(error.getSQLState(), "22012"); }
                connection.rollback();
            }
            same(one(connection, "select count(*) from batched where client = ?", number), 1000L);
            connection.commit();
            return null;
        });
    }

    static void valuesArriveUnchanged() throws Exception {
        byte[] bytes = new byte[2000000];
        new Random(1).nextBytes(bytes);
        try (Connection connection = connect()) {
            for (int turn = 0; turn < 8; turn++) {         // as text first, then binary
                same(one(connection, "select ?::text", "wéir\n".repeat(400000)), "wéir\n".repeat(400000));
                same(one(connection, "select ?::bytea", bytes), bytes);
                same(one(connection, "select ?::numeric", new BigDecimal("12345678901234567890.123456789")), new BigDecimal("12345678901234567890.123456789"));
                same(one(connection, "select ?::int", (Object) null), null);
                same(one(connection, "select ?::date", LocalDate.of(2024, 2, 29)).toString(), "2024-02-29");
                same(((Timestamp) one(connection, "select ?::timestamp", LocalDateTime.of(1999, 12, 31, 23, 59, 59, 999999000))).toString(), "1999-12-31 23:59:59.999999");
                same(((java.sql.Array) one(connection, "select ?", connection.createArrayOf("text", new String[] {"a,b", "\"", null}))).getArray(), new String[] {"a,b", "\"", null});
            }
        }
    }

    static void aCursorReadsPartByPart() throws Exception {
        onManyClients((connection, number) -> {
            connection.setAutoCommit(false);
            for (int turn = 0; turn < 7; turn++) {
                long sum = 0;
                try (PreparedStatement statement = connection.prepareStatement("select n from generate_series(1, ?) n")) {
                    statement.setFetchSize(70);
                    statement.setInt(1, 1000 + number);
                    try (ResultSet rows = statement.executeQuery()) { while (rows.next()) sum += rows.getInt(1); }
                }
                same(sum, (1000L + number) * (1001 + number) / 2);
                connection.commit();
            }
            return null;
        });
    }

    static void copyInAndOutAgree() throws Exception {
        StringBuilder text = new StringBuilder();
        for (int n = 0; n < 5000; n++) text.append(n).append('\t').append("x".repeat(n % 700)).append('\t').append(n % 7 == 0 ? "" + n : "\\N").append('\n');
        try (Connection connection = connect()) {
            connection.setAutoCommit(false);
            execute(connection, "create temp table copied (n int, t text, m int) on commit drop");
            var copies = connection.unwrap(PGConnection.class).getCopyAPI();
            same(copies.copyIn("copy copied from stdin", new StringReader(text.toString())), 5000L);
            StringWriter back = new StringWriter();
            copies.copyOut("copy (select * from copied order by n) to stdout", back);
            same(back.toString(), text.toString());
            fails("22P02", () -> copies.copyIn("copy copied from stdin", new StringReader("no number\tx\t1\n")));
            connection.rollback();
            same(one(connection, "select 3"), 3);
        }
    }

    static void aCancelEndsItsOwnQueryOnly() throws Exception {
        onManyClients((connection, number) -> {
            if (number > 0) {
                for (int turn = 0; turn < 20; turn++) same(one(connection, "select ?::int from pg_sleep(0.01)", turn), turn);
                return null;
            }
            try (Statement statement = connection.createStatement()) {
                statement.setQueryTimeout(1);
                fails("57014", () -> statement.executeQuery("select pg_sleep(60)"));
            }
            same(one(connection, "select 4"), 4);
            return null;
        });
    }

    static void manyStatementsShareTheServers() throws Exception {
        onManyClients((connection, number) -> {
            for (int statement = 0; statement < 60; statement++)
                for (int turn = 0; turn < 6; turn++)
                    same(one(connection, "select ?::int + " + statement, turn), turn + statement);
            return null;
        });
    }

    static void notificationsArrive() throws Exception {
        try (Connection listener = connect(); Connection teller = connect()) {
            execute(listener, "listen news");
            execute(teller, "notify news, 'flood'");
            var news = listener.unwrap(PGConnection.class).getNotifications(60000);
            same(news[0].getName() + ": " + news[0].getParameter(), "news: flood");
        }
    }

    static void theConnectionIsAsSecureAsAskedFor() throws Exception {
        try (Connection connection = connect()) {           // both legs are TLS, or neither is
            same(one(connection, "select ssl from pg_stat_ssl where pid = pg_backend_pid()"), caFile != null);
        }
    }

    static int failed = 0;
    static void run(String name, Check check) {
        try {
            check.run();
            System.out.println("ok " + name);
        } catch (Throwable error) {
            failed++;
            System.out.println("FAILED " + name + ": " + String.valueOf(error).replace('\n', ' '));
        }
    }

    public static void main(String[] arguments) {
        run("the connection is as secure as asked for", Checks::theConnectionIsAsSecureAsAskedFor);
        run("each client gets its own answers", Checks::eachClientGetsItsOwnAnswers);
        run("transactions commit and roll back", Checks::transactionsCommitAndRollBack);
        run("an error leaves the session usable", Checks::anErrorLeavesTheSessionUsable);
        run("batches are carried out whole or not at all", Checks::batchesAreCarriedOutWholeOrNotAtAll);
        run("values arrive unchanged", Checks::valuesArriveUnchanged);
        run("a cursor reads part by part", Checks::aCursorReadsPartByPart);
        run("copy in and out agree", Checks::copyInAndOutAgree);
        run("a cancel ends its own query only", Checks::aCancelEndsItsOwnQueryOnly);
        run("many statements share the servers", Checks::manyStatementsShareTheServers);
        if (inSessionPool) run("notifications arrive", Checks::notificationsArrive);
        else run("servers are shared", Checks::serversAreShared);
        System.exit(failed == 0 ? 0 : 1);
    }
}
