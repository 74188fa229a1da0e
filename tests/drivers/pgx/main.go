// pgx v4 through the proxy, with its defaults: every query is prepared under a name of the driver's and kept.
package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgconn"
	"github.com/jackc/pgx/v4"
	"github.com/jackc/pgx/v4/pgxpool"
)

var background = context.Background()

func connect() *pgx.Conn { // by libpq's environment
	connection, err := pgx.Connect(background, "")
	must(err)
	return connection
}

func withClient(work func(connection *pgx.Conn)) {
	connection := connect()
	defer connection.Close(background)
	work(connection)
}

func onManyClients(work func(connection *pgx.Conn, number int)) {
	onMany(clients, func(number int) { withClient(func(connection *pgx.Conn) { work(connection, number) }) })
}

type queryer interface {
	QueryRow(ctx context.Context, sql string, values ...interface{}) pgx.Row
}

func integer(on queryer, sql string, values ...interface{}) (n int) {
	must(on.QueryRow(background, sql, values...).Scan(&n))
	return
}

func text(on queryer, sql string, values ...interface{}) (t string) {
	must(on.QueryRow(background, sql, values...).Scan(&t))
	return
}

func execute(connection *pgx.Conn, sql string, values ...interface{}) {
	_, err := connection.Exec(background, sql, values...)
	must(err)
}

func fails(state string, err error) {
	if failure, is := err.(*pgconn.PgError); !is || failure.Code != state {
		panic(fmt.Sprintf("%v, not %s", err, state))
	}
}

func eachClientGetsItsOwnAnswers() {
	onManyClients(func(connection *pgx.Conn, number int) {
		for turn := 0; turn < 40; turn++ {
			var n int
			var t string
			must(connection.QueryRow(background, "select $1::int, $2::text", number*1000+turn, fmt.Sprint("c", number)).Scan(&n, &t))
			same([]interface{}{n, t}, []interface{}{number*1000 + turn, fmt.Sprint("c", number)})
		}
		same(integer(connection, "select count(*) from pg_prepared_statements where not from_sql") >= 1, true)
	})
}

func transactionsCommitAndRollBack() {
	withClient(func(connection *pgx.Conn) { execute(connection, "create table kept (n int)") })
	onManyClients(func(connection *pgx.Conn, number int) {
		must(connection.BeginFunc(background, func(inside pgx.Tx) error {
			first := text(inside, "select pg_backend_pid()::text || ' ' || txid_current()")
			_, err := inside.Exec(background, "insert into kept values ($1)", number)
			must(err)
			fails("22012", inside.BeginFunc(background, func(deeper pgx.Tx) error { // a savepoint
				_, err := deeper.Exec(background, "insert into kept values (1 / $1::int)", 0)
				return err
			}))
			same(text(inside, "select pg_backend_pid()::text || ' ' || txid_current()"), first)
			return nil
		}))
		undone, err := connection.Begin(background)
		must(err)
		_, err = undone.Exec(background, "insert into kept values (-2)")
		must(err)
		must(undone.Rollback(background))
	})
	withClient(func(connection *pgx.Conn) {
		same(text(connection, "select sum(n) || '/' || count(*) from kept"), fmt.Sprintf("%d/%d", clients*(clients-1)/2, clients))
	})
}

func anErrorLeavesTheSessionUsable() {
	onManyClients(func(connection *pgx.Conn, number int) {
		for turn := 0; turn < 10; turn++ {
			var n int
			fails("22012", connection.QueryRow(background, "select 1 / $1::int", 0).Scan(&n))
			fails("42703", connection.QueryRow(background, "select no_such_column").Scan(&n))
			same(integer(connection, "select 1 / $1::int", 1), 1)
		}
	})
}

func aBatchIsAnsweredInOrderUpToItsError() {
	onManyClients(func(connection *pgx.Conn, number int) {
		batch := &pgx.Batch{}
		for n := 0; n < 60; n++ {
			batch.Queue(fmt.Sprintf("select $1::int + %d", n%7), number)
		}
		results := connection.SendBatch(background, batch)
		for n := 0; n < 60; n++ {
			same(integer(row{results}, ""), number+n%7)
		}
		must(results.Close())
		broken := &pgx.Batch{}
		for n := 2; n > -3; n-- {
			broken.Queue("select 10 / $1::int", n)
		}
		results = connection.SendBatch(background, broken)
		same([]int{integer(row{results}, ""), integer(row{results}, "")}, []int{5, 10})
		var n int
		fails("22012", results.QueryRow().Scan(&n))
		results.Close()
		same(integer(connection, "select 8"), 8)
	})
}

type row struct{ results pgx.BatchResults }

func (next row) QueryRow(context.Context, string, ...interface{}) pgx.Row { return next.results.QueryRow() }

func valuesArriveUnchanged() {
	large, blob := strings.Repeat("wéir\n", 400000), bytes.Repeat([]byte{0, 255, 'a'}, 700000)
	instant := time.Date(1999, 12, 31, 23, 59, 59, 999999000, time.UTC)
	onMany(4, func(int) {
		withClient(func(connection *pgx.Conn) {
			var nothing *int
			var numbers []int32
			var texts []*string
			var exact, gotLarge string
			var gotInstant time.Time
			var gotBlob []byte
			must(connection.QueryRow(background, "select $1::int, $2::int[], $3::text[], $4::numeric::text, $5::text, $6::timestamptz, $7::bytea",
				nil, []int32{1, -2}, []string{"a,b", "\""}, "12345678901234567890.123456789", large, instant, blob).
				Scan(&nothing, &numbers, &texts, &exact, &gotLarge, &gotInstant, &gotBlob))
			same(nothing == nil && *texts[0] == "a,b" && *texts[1] == "\"" && gotInstant.Equal(instant), true)
			same([]interface{}{numbers, exact, gotLarge, gotBlob}, []interface{}{[]int32{1, -2}, "12345678901234567890.123456789", large, blob})
		})
	})
}

func copyInAndOutAgree() {
	withClient(func(connection *pgx.Conn) {
		execute(connection, "create table copied (n int, t text, m int)")
		rows, wanted := [][]interface{}{}, ""
		for n := 0; n < 3000; n++ {
			rows = append(rows, []interface{}{n, strings.Repeat("x", n%700), nil})
			wanted += fmt.Sprintf("%d\t%s\t\\N\n", n, strings.Repeat("x", n%700))
		}
		copied, err := connection.CopyFrom(background, pgx.Identifier{"copied"}, []string{"n", "t", "m"}, pgx.CopyFromRows(rows))
		must(err)
		same(copied, int64(3000))
		var back bytes.Buffer
		_, err = connection.PgConn().CopyTo(background, &back, "copy (select * from copied order by n) to stdout")
		must(err)
		same(back.String(), wanted)
		_, err = connection.PgConn().CopyFrom(background, strings.NewReader("no number\tx\t1\n"), "copy copied from stdin")
		fails("22P02", err)
		same(integer(connection, "select count(*) from copied"), 3000)
	})
}

func aCursorReadsPartByPart() {
	onManyClients(func(connection *pgx.Conn, number int) {
		must(connection.BeginFunc(background, func(inside pgx.Tx) error {
			_, err := inside.Exec(background, "declare many cursor for select n from generate_series(1, 500) n")
			must(err)
			sum, rows := 0, 1
			for rows > 0 {
				part, err := inside.Query(background, "fetch 70 from many")
				must(err)
				for rows = 0; part.Next(); rows++ {
					var n int
					must(part.Scan(&n))
					sum += n
				}
				must(part.Err())
			}
			same(sum, 125250)
			return nil
		}))
	})
}

func aCancelEndsItsOwnQueryOnly() {
	onManyClients(func(connection *pgx.Conn, number int) {
		if number > 0 {
			for turn := 0; turn < 20; turn++ {
				same(integer(connection, "select $1::int from pg_sleep(0.01)", turn), turn)
			}
			return
		}
		timer := time.AfterFunc(500*time.Millisecond, func() { must(connection.PgConn().CancelRequest(background)) })
		defer timer.Stop()
		_, err := connection.Exec(background, "select pg_sleep(60)")
		fails("57014", err)
		same(integer(connection, "select 4"), 4)
	})
}

func theDriversOwnPoolWorksOnTop() {
	settings, err := pgxpool.ParseConfig("")
	must(err)
	settings.MaxConns = int32(clients)
	pool, err := pgxpool.ConnectConfig(background, settings)
	must(err)
	defer pool.Close()
	onMany(200, func(n int) { same(integer(pool, "select $1::int", n), n) })
}

func serversAreShared() {
	connections, pids := make([]*pgx.Conn, clients), make([]int, clients)
	onMany(clients, func(n int) { connections[n] = connect() })
	onMany(clients, func(n int) { pids[n] = integer(connections[n], "select pg_backend_pid()") })
	assertShared(pids)
	onMany(clients, func(n int) { connections[n].Close(background) })
}

func notificationsArrive() {
	withClient(func(listener *pgx.Conn) {
		execute(listener, "listen news")
		withClient(func(teller *pgx.Conn) { execute(teller, "select pg_notify('news', $1)", "flood") })
		soon, done := context.WithTimeout(background, time.Minute)
		defer done()
		news, err := listener.WaitForNotification(soon)
		must(err)
		same(news.Channel+": "+news.Payload, "news: flood")
	})
}

func theConnectionIsAsSecureAsAskedFor() {
	withClient(func(connection *pgx.Conn) { // both legs are TLS, or neither is
		same(text(connection, "select ssl::text from pg_stat_ssl where pid = pg_backend_pid()"), fmt.Sprint(overTLS))
	})
}

func whatManyAddIsThereOnce() {
	withClient(func(connection *pgx.Conn) { execute(connection, "create table total (n int); insert into total values (0)") })
	var adding sync.Mutex
	added := 0
	onManyClients(func(connection *pgx.Conn, number int) {
		for turn := 0; turn < 10; turn++ {
			execute(connection, "update total set n = n + $1", turn)
			adding.Lock()
			added += turn
			adding.Unlock()
		}
	})
	withClient(func(connection *pgx.Conn) { same(integer(connection, "select n from total"), added) })
}

func main() {
	checks := []check{
		{"the connection is as secure as asked for", theConnectionIsAsSecureAsAskedFor},
		{"each client gets its own answers", eachClientGetsItsOwnAnswers},
		{"transactions commit and roll back", transactionsCommitAndRollBack},
		{"an error leaves the session usable", anErrorLeavesTheSessionUsable},
		{"a batch is answered in order up to its error", aBatchIsAnsweredInOrderUpToItsError},
		{"values arrive unchanged", valuesArriveUnchanged},
		{"copy in and out agree", copyInAndOutAgree},
		{"a cursor reads part by part", aCursorReadsPartByPart},
		{"a cancel ends its own query only", aCancelEndsItsOwnQueryOnly},
		{"the driver's own pool works on top", theDriversOwnPoolWorksOnTop},
		{"what many add is there once", whatManyAddIsThereOnce},
	}
	if inSessionPool {
		checks = append(checks, check{"notifications arrive", notificationsArrive})
	} else {
		checks = append(checks, check{"servers are shared", serversAreShared})
	}
	runChecks(checks)
}
