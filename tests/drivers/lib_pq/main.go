// lib/pq under database/sql, through the proxy, with its defaults: a query with values is prepared without a name in one
// series of messages and run in the next; Prepare gives names.
package main

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"github.com/lib/pq"
)

var background = context.Background()

func options() string { // the rest by libpq's environment
	if overTLS {
		return ""
	}
	return "sslmode=disable" // the driver's own default is `require`
}

func open(connections int) *sql.DB {
	pool, err := sql.Open("postgres", options())
	must(err)
	pool.SetMaxOpenConns(connections)
	pool.SetMaxIdleConns(connections)
	return pool
}

func withPool(connections int, work func(pool *sql.DB)) {
	pool := open(connections)
	defer pool.Close()
	work(pool)
}

func onManyClients(work func(client *sql.DB, number int)) {
	onMany(clients, func(number int) { withPool(1, func(client *sql.DB) { work(client, number) }) })
}

type queryer interface {
	QueryRow(sql string, values ...interface{}) *sql.Row
	Exec(sql string, values ...interface{}) (sql.Result, error)
}

func integer(on queryer, query string, values ...interface{}) (n int) {
	must(on.QueryRow(query, values...).Scan(&n))
	return
}

func text(on queryer, query string, values ...interface{}) (t string) {
	must(on.QueryRow(query, values...).Scan(&t))
	return
}

func execute(on queryer, query string, values ...interface{}) {
	_, err := on.Exec(query, values...)
	must(err)
}

func fails(state string, err error) {
	if failure, is := err.(*pq.Error); !is || string(failure.Code) != state {
		panic(fmt.Sprintf("%v, not %s", err, state))
	}
}

func eachClientGetsItsOwnAnswers() {
	onManyClients(func(client *sql.DB, number int) {
		for turn := 0; turn < 40; turn++ {
			var n int
			var t string
			must(client.QueryRow("select $1::int, $2::text", number*1000+turn, fmt.Sprint("c", number)).Scan(&n, &t))
			same([]interface{}{n, t}, []interface{}{number*1000 + turn, fmt.Sprint("c", number)})
		}
	})
}

func preparedStatementsAreFoundAgain() {
	onManyClients(func(client *sql.DB, number int) {
		for round := 0; round < 5; round++ {
			add, err := client.Prepare(fmt.Sprintf("select $1::int + %d", number%5))
			must(err)
			for turn := 0; turn < 10; turn++ {
				var n int
				must(add.QueryRow(turn).Scan(&n))
				same(n, turn+number%5)
			}
			must(add.Close())
		}
	})
}

func transactionsCommitAndRollBack() {
	withPool(1, func(client *sql.DB) { execute(client, "create table kept (n int)") })
	onManyClients(func(client *sql.DB, number int) {
		inside, err := client.Begin()
		must(err)
		first := text(inside, "select pg_backend_pid()::text || ' ' || txid_current()")
		execute(inside, "insert into kept values ($1)", number)
		execute(inside, "savepoint s")
		_, err = inside.Exec("insert into kept values (1 / $1::int)", 0)
		fails("22012", err)
		execute(inside, "rollback to savepoint s")
		same(text(inside, "select pg_backend_pid()::text || ' ' || txid_current()"), first)
		must(inside.Commit())
		inside, err = client.Begin()
		must(err)
		execute(inside, "insert into kept values (-2)")
		must(inside.Rollback())
	})
	withPool(1, func(client *sql.DB) {
		same(text(client, "select sum(n) || '/' || count(*) from kept"), fmt.Sprintf("%d/%d", clients*(clients-1)/2, clients))
	})
}

func anErrorLeavesTheSessionUsable() {
	onManyClients(func(client *sql.DB, number int) {
		for turn := 0; turn < 10; turn++ {
			var n int
			fails("22012", client.QueryRow("select 1 / $1::int", 0).Scan(&n))
			fails("42703", client.QueryRow("select no_such_column").Scan(&n))
			same(integer(client, "select 1 / $1::int", 1), 1)
		}
	})
}

func valuesArriveUnchanged() {
	large, blob := strings.Repeat("wéir\n", 400000), bytes.Repeat([]byte{0, 255, 'a'}, 700000)
	instant := time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	withPool(1, func(client *sql.DB) {
		var nothing sql.NullInt64
		var numbers []int64
		var texts []sql.NullString
		var exact, gotLarge string
		var gotInstant time.Time
		var gotBlob []byte
		must(client.QueryRow("select $1::int, $2::int[], $3::text[], $4::numeric, $5::text, $6::timestamptz, $7::bytea",
			nil, pq.Array([]int64{1, -2}), pq.Array([]sql.NullString{{String: "a,b", Valid: true}, {}}), "12345678901234567890.123456789", large, instant, blob).
			Scan(&nothing, pq.Array(&numbers), pq.Array(&texts), &exact, &gotLarge, &gotInstant, &gotBlob))
		same(!nothing.Valid && texts[0].String == "a,b" && !texts[1].Valid && gotInstant.Equal(instant), true)
		same([]interface{}{numbers, exact, gotLarge, gotBlob}, []interface{}{[]int64{1, -2}, "12345678901234567890.123456789", large, blob})
	})
}

func copyInGivesEachRow() {
	withPool(1, func(client *sql.DB) {
		execute(client, "create table copied (n int, t text)")
		inside, err := client.Begin()
		must(err)
		copying, err := inside.Prepare(pq.CopyIn("copied", "n", "t"))
		must(err)
		for n := 0; n < 3000; n++ {
			_, err = copying.Exec(n, strings.Repeat("x", n%700))
			must(err)
		}
		_, err = copying.Exec()
		must(err)
		must(copying.Close())
		must(inside.Commit())
		same(integer(client, "select count(*) from copied where length(t) = n % 700"), 3000)
	})
}

func aCancelEndsItsOwnQueryOnly() {
	onManyClients(func(client *sql.DB, number int) {
		if number > 0 {
			for turn := 0; turn < 20; turn++ {
				same(integer(client, "select $1::int from pg_sleep(0.01)", turn), turn)
			}
			return
		}
		soon, done := context.WithTimeout(background, 500*time.Millisecond)
		defer done()
		_, err := client.ExecContext(soon, "select pg_sleep(60)")
		fails("57014", err)
		same(integer(client, "select 4"), 4)
	})
}

func theDriversOwnPoolWorksOnTop() {
	withPool(clients, func(pool *sql.DB) {
		onMany(200, func(n int) { same(integer(pool, "select $1::int", n), n) })
	})
}

func serversAreShared() {
	pools, pids := make([]*sql.DB, clients), make([]int, clients)
	onMany(clients, func(n int) { pools[n] = open(1); must(pools[n].Ping()) })
	onMany(clients, func(n int) { pids[n] = integer(pools[n], "select pg_backend_pid()") })
	assertShared(pids)
	onMany(clients, func(n int) { pools[n].Close() })
}

func notificationsArrive() {
	listener := pq.NewListener(options(), time.Second, time.Second, nil)
	defer listener.Close()
	must(listener.Listen("news"))
	withPool(1, func(teller *sql.DB) { execute(teller, "select pg_notify('news', $1)", "flood") })
	for {
		select {
		case news := <-listener.Notify:
			if news != nil {
				same(news.Channel+": "+news.Extra, "news: flood")
				return
			}
		case <-time.After(time.Minute):
			panic("no notification came")
		}
	}
}

func theConnectionIsAsSecureAsAskedFor() {
	withPool(1, func(client *sql.DB) { // both legs are TLS, or neither is
		same(text(client, "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"), fmt.Sprint(overTLS))
	})
}

func main() {
	checks := []check{
		{"the connection is as secure as asked for", theConnectionIsAsSecureAsAskedFor},
		{"each client gets its own answers", eachClientGetsItsOwnAnswers},
		{"prepared statements are found again", preparedStatementsAreFoundAgain},
		{"transactions commit and roll back", transactionsCommitAndRollBack},
		{"an error leaves the session usable", anErrorLeavesTheSessionUsable},
		{"values arrive unchanged", valuesArriveUnchanged},
		{"copy in gives each row", copyInGivesEachRow},
		{"a cancel ends its own query only", aCancelEndsItsOwnQueryOnly},
		{"the driver's own pool works on top", theDriversOwnPoolWorksOnTop},
	}
	if inSessionPool {
		checks = append(checks, check{"notifications arrive", notificationsArrive})
	} else {
		checks = append(checks, check{"servers are shared", serversAreShared})
	}
	runChecks(checks)
}
