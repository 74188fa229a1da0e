"""Where pgweir is meant to differ from PgBouncer, and why. Any other difference is a bug of one of the two.

A rule rewrites a part of what one of them says in certain steps; two steps agree when they are the same after all rules.
`as_server` has no pattern: there pgweir must do exactly as the server itself does in the same scenario.
`OPEN` is what should not differ and still does: told at each run, and taken out when it is mended.
"""
import dataclasses
import fnmatch
import os
import re

ANY, UP_TO_THE_END = "*", r"(?s).*"


@dataclasses.dataclass(frozen=True)
class Rule:
    scenario: str                                  # as in fnmatch; several parted by blanks
    step: str                                      # as in fnmatch; several parted by |
    who: str                                       # whose words are rewritten: pgbouncer, pgweir, both (and the server's), or as_server
    pattern: str
    into: str
    reason: str


def code(sqlstate, text):
    return Rule(ANY, ANY, "pgweir", rf"(?m)^E S=(FATAL|ERROR) C={sqlstate} M=({text})", r"E S=\1 C=08P01 M=\2",
                f"{sqlstate} tells a driver more than 08P01: {text}")


def whatever(scenario, step, reason):
    """Both say something else in these steps, each for a reason of its own."""
    return Rule(scenario, step, "both", UP_TO_THE_END, "", reason)


ERRORS = [
    Rule(ANY, ANY, "pgweir", r"(?m)^(E S=\w+ C=\w+ M=.*?)( D=.*?)?( H=.*)?$", r"\1", "errors of the proxy's own have DETAIL and HINT"),
    code("53300", "query_wait_timeout|no more connections allowed|client connections exceeded"),
    code("28P01", "SASL authentication failed|password authentication failed|empty password returned by client"),
    code("28000", '"trust" authentication failed|no username supplied|username too long'),
    code("42601", "unsupported options startup parameter: only"), code("42704", "unsupported startup parameter"),
    code("42501", "not allowed$"), code("22023", "invalid server parameter"), code("3D000", "no such database: "),
    code("0A000", "transaction blocks not allowed|PQexec disallowed|old V2 protocol"), code("08006", "server conn crashed"),
    code("25P03", "idle transaction timeout"), code("25P04", "transaction timeout"), code("57P05", "client_idle_timeout"),
    code("57014", "query.timeout|client_login_timeout$"), code("57P03", "server login has been failing|client_login_timeout .server down"),
    code("57P01", "database removed|admin forced disconnect"), code("55000", 'database "app" is disabled'),
    code("F0000", "bouncer config error"),
    Rule(ANY, ANY, "both", r"(?m)^N S=NOTICE V=NOTICE ", "N S=NOTICE ", "notices of the proxy's own have the field V, as PostgreSQL's"),
    Rule(ANY, ANY, "both", r"(?m)^E S=ERROR V=ERROR C=(26000|42P05) (M=.*) R=\w+$", r"E S=ERROR C=\1 \2",
         "told by the proxy in the server's words, without the names of its functions"),
]

LOGINS = [
    Rule(ANY, ANY, "pgbouncer", r"(?m)^S pgbouncer\..*\n", "", "pgweir does not call itself PgBouncer"),
    Rule(ANY, ANY, "both", r"PgBouncer 1\.26\.1|pgweir 0\.1\.0|\b(1\.26\.1|0\.1\.0)/bouncer", "VERSION", "each tells its own version"),
    Rule("scram_passwords", "nobody says ''", "both", r"(?s)E S=FATAL.*", "", "an empty password proves nothing, not even by SCRAM"),
    whatever("options ignored_options", "options=' '*|options='-c ='*|options='-c=*|options='--=*|options='-c\\tTime*",
             "options are read as PostgreSQL reads them: any blank parts them, and a name cannot be empty"),
    Rule("options", "options='--*", "pgweir", r"in options: (a|date)_", r"in options: \1-", "as in PostgreSQL, - in a --name counts as _"),
    whatever("start_up_parameters ignored_parameters options ignored_options", "*search_path*",
             "a search_path that no server here reports would be told to the client and never set; track_extra_parameters takes it where it is"),
    whatever("start_up_parameters", "replication=x*", "a replication parameter that is no truth value is refused"),
    whatever("broken_start", "1 MB announced|HTTP|a query", "what cannot be a start-up packet is refused at once, and told why"),
    whatever("broken_start", "of 20,000", "as PostgreSQL, pgweir takes no start-up packet above 10,000 bytes"),
    Rule("broken_start", "a database of 200 bytes", "pgweir", r"(x{63})x*", r"\1", "a database's name is told whole"),
    whatever("after_a_refused_encryption", "SSL twice*|GSS twice*", "asking twice for the same encryption is refused, as by PostgreSQL"),
    whatever("messages_instead_of_a_password", "a query|a Sync|no terminator|an empty body|an unknown type|1 MB",
             "what is no password is refused at once, and told why; a password has at most 64 kB"),
    whatever("broken_scram", "no nonce*|another mechanism|length too long*|no data*|empty*",
             "each mistake in the exchange ends it with the same text: an attacker learns nothing from it"),
    Rule("protocol_versions", ANY, "both", r"(?m)^(v \d.*|K \d+ bytes)\n", "", "protocol 3.2 is spoken, as by PostgreSQL 18; PgBouncer speaks 3.0"),
    whatever("a_console_s_welcome", "with parameters", "the console's parameters are told once, as they are"),
]

QUERIES = [
    Rule(ANY, ANY, "pgbouncer", r"(?m)(^E S=FATAL V=FATAL .*\n)E S=FATAL C=08P01 M=server conn crashed\?\n", r"\1", "one FATAL is enough: the server has told why"),
    Rule("queries@statement blocks_in_statement_mode modes_by_user_and_database a_mode_that_changes settings_set_by_hand", ANY, "both", r"(?s)^[^E].*?(?=E S=FATAL)|^E S=ERROR.*?(?=E S=FATAL)", "",
         "in statement pooling, what the server said of a block stands before the error that ends it; in PgBouncer at times"),
    Rule(ANY, ANY, "both", r'(?m)prepared statement "(PGBOUNCER_\d+|pgweir_[0-9a-f]{32}|\w*)" (requires|does not exist)', r'prepared statement "NAME" \2',
         "the server knows a statement by a name that the proxy made"),
    Rule("by_chance_*_transaction errors_in_each_place@transaction a_name_that_is_taken@transaction an_unknown_name@transaction", ANY,
         "as_server", "", "", "names that are taken or unknown get PostgreSQL's own error, and the session lives on"),
    whatever("over_long_packets@*", "a row*", "max_packet_size bounds what clients send; a server's message passes in pieces and is never kept"),
    Rule("odd_messages@transaction", ANY, "as_server", "", "", "a malformed Parse, Bind or Describe gets PostgreSQL's own error"),
]

CONSOLE = [
    Rule("sizes_that_change", "SET is lost with RELOAD", "both", r"(?m)^(D app\|.*)\|\d(\|0\|\d\|0\|0)$", r"\1\2", "the server above the bound is closed already"),
    whatever("sizes_that_change", "but finds no server then", "a server above a lowered bound is closed when it comes back, not lent once more"),
    Rule("what_shows_tell pause_and_resume* a_pause_that_is_given_up messages_to_the_console", ANY, "pgweir", r"D suspended\|no\n", "",
         "SUSPEND is there, as in PgBouncer up to 1.25"),
    whatever("what_shows_tell commands_of_a_watcher", "*SHOW FDS", "SHOW FDS is there, as in PgBouncer up to 1.25"),
    whatever("commands", "*: SUSPEND", "SUSPEND is there, as in PgBouncer up to 1.25"),
    whatever("commands", "92: PAUSE", "all is suspended already"),
    Rule("commands kill", ANY, "pgweir", r"paused/suspended|suspended/paused", "paused", "the texts that go with SUSPEND, of PgBouncer up to 1.25"),
    Rule("what_shows_tell", "SHOW HELP", "both", r"(?s)D=.*?(?=\nC SHOW)", "", "each lists its own commands in its own words"),
    Rule("what_shows_tell", "SHOW ACTIVE_SOCKETS", "pgbouncer", r"D C\|admin.*\n", "", "the console's own request is no data that waits"),
    Rule("what_shows_tell", "SHOW LISTS", "both", r"D free_(clients|servers)\|\d+", "", "how much room is set aside is each one's own affair"),
    Rule("statistics", "SHOW STATS_TOTALS", "both", r"D pgbouncer\|.*\n", "", "every console command counts, not only the first of each console"),
    Rule("statistics", "SHOW TOTALS", "both", r"D total_(xact|query)_count\|\d+\n", "", "every console command counts, not only the first of each console"),
    Rule("configuration", ANY, "pgweir", r"D (suspend_timeout|worker_threads|client_lost_query|client_lost_drain|compat_error_codes|log_format"
         r"|admin_http_addr|leak_warn_after|leak_action)\|.*\n", "", "settings of pgweir's own, and of SUSPEND"),
    Rule("configuration", ANY, "both", r"D track_extra_parameters\|.*\n", "", "pgweir's default names IntervalStyle, PgBouncer's leaves it unsaid"),
    whatever("commands", "*: SET stats_period = 0", "averages over no time are refused"),
    Rule("commands", "*: SET verbose = '000*", "both", UP_TO_THE_END, "", "a value of SET may have 255 bytes; PgBouncer stops a little earlier"),
    whatever("messages_to_the_console", "a series|a Describe|a Sync|a Flush", "the console answers the extended protocol, so that any driver works"),
    whatever("a_pause_that_is_given_up", "PAUSE is cancelled", "a cancelled PAUSE is answered, so that the console goes on"),
    whatever("kill", "a newcomer", "a client may log in to a paused database, and waits with its first query"),
]

OPEN = []

SEVERAL_WORKERS = [
    whatever("order_of_servers", ANY, "a worker takes its own servers before those of another"),
]

RULES = ERRORS + LOGINS + QUERIES + CONSOLE + OPEN + (SEVERAL_WORKERS if os.environ.get("PGWEIR_WORKER_THREADS", "1") != "1" else [])


def fits(rule, scenario, step):
    return any(fnmatch.fnmatchcase(scenario, one) for one in rule.scenario.split()) and any(
        fnmatch.fnmatchcase(step, one) for one in rule.step.split("|"))


def agree(scenario, step, theirs, ours, direct):
    """What both said after the rules, the same when they agree; and the rules without which they would not."""
    if theirs == ours:
        return theirs, ours, set()
    fitting = [rule for rule in RULES if fits(rule, scenario, step)]
    left, right = rewritten(fitting, theirs, ours, direct)
    needed = set()
    if left == right:
        for rule in fitting:
            without = rewritten([other for other in fitting if other is not rule], theirs, ours, direct)
            if without[0] != without[1]:
                needed.add(rule)
    return left, right, needed


def rewritten(rules, theirs, ours, direct):
    for rule in rules:
        if rule.who == "as_server":
            if ours == direct:
                return ours, ours
            continue
        if rule.who == "both" and direct is not None:
            direct = re.sub(rule.pattern, rule.into, direct)
        if rule.who in ("pgbouncer", "both"):
            theirs = re.sub(rule.pattern, rule.into, theirs)
        if rule.who in ("pgweir", "both"):
            ours = re.sub(rule.pattern, rule.into, ours)
    return theirs, ours
