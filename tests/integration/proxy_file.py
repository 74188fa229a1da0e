"""The configuration file of a running proxy: lines added to what the run began with, and put in force by RELOAD."""
from raw_client import RawClient


class ProxyFile:
    def __init__(self, path, port, user="postgres"):
        self.path, self.port = path, port
        with open(path, encoding="utf-8") as file:
            self.first = file.read()
        self.admin = RawClient(("127.0.0.1", port), user, "pgbouncer")

    def write(self, main=(), sections=""):
        """`main`: lines of [pgbouncer], which the file ends in; `sections`: others, in front."""
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(sections + "\n" + self.first + "\n".join(main) + "\n")

    def load(self, main=(), sections=""):
        """What RELOAD answers: empty, or its error."""
        self.write(main, sections)
        return outcome(self.admin, "RELOAD")

    def config(self):
        """SHOW CONFIG: name -> (value, default, changeable)."""
        return {row[0]: tuple(row[1:]) for row in self.admin.query("SHOW CONFIG")}

    def rows(self, what, key="database"):
        """SHOW `what`, each row by the names of its columns; those of the console left out."""
        return [row for row in named_rows(self.admin, f"SHOW {what}") if row.get(key) != "pgbouncer"]


def outcome(connection, sql):
    """Empty, or `SQLSTATE message`."""
    try:
        connection.query(sql)
        return ""
    except (RuntimeError, EOFError) as error:
        return str(error)


def named_rows(connection, sql):
    rows = connection.query(sql)
    return [dict(zip(connection.columns, row)) for row in rows]
