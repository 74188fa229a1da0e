// The console through JDBC: Statement and PreparedStatement. usage: java -cp DRIVER ConsoleReader.java PROXY_PORT
import java.sql.*;
import java.util.*;

class ConsoleReader {
    static void check(String name, boolean holds, Object why) {
        System.out.println(holds ? "ok " + name : "FAILED " + name + ": " + why);
    }

    static List<String> rows(ResultSet result) throws SQLException {
        List<String> rows = new ArrayList<>();
        while (result.next()) rows.add(result.getString(1) + "=" + result.getObject(2));
        return rows;
    }

    static void read(String mode, String port) throws SQLException {
        String url = "jdbc:postgresql://127.0.0.1:" + port + "/pgbouncer?user=postgres&preferQueryMode=" + mode;
        try (Connection connection = DriverManager.getConnection(url); Statement statement = connection.createStatement()) {
            for (String table : "STATS TOTALS POOLS DATABASES CLIENTS SERVERS USERS LISTS CONFIG MEM STATE".split(" "))
                check(mode + ": SHOW " + table, rows(statement.executeQuery("SHOW " + table)).size() > 0, "no rows");
            try (PreparedStatement prepared = connection.prepareStatement("SHOW LISTS")) {
                List<String> last = List.of();
                for (int i = 0; i < 8; ++i) last = rows(prepared.executeQuery());    // named, and in binary, from the fifth on
                check(mode + ": SHOW LISTS again and again", last.size() == 14 && last.contains("peers=0"), last);
            }
            try (ResultSet stats = statement.executeQuery("SHOW STATS")) {
                check(mode + ": numbers are numbers", stats.next() && stats.getLong("total_query_count") >= 0 && stats.getBigDecimal("avg_recv").signum() >= 0, "");
            }
            try {
                statement.execute("nonsense");
                check(mode + ": an error", false, "none came");
            } catch (SQLException error) {
                check(mode + ": an error, and the session lives on", error.getSQLState().equals("08P01") && statement.execute("SHOW VERSION"), error);
            }
            statement.execute("SET verbose = 0");
        }
    }

    public static void main(String[] arguments) throws SQLException {
        for (String mode : List.of("extended", "simple", "extendedForPrepared", "extendedCacheEverything")) read(mode, arguments[0]);
    }
}
