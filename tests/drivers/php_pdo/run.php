#!/usr/bin/php
<?php
// PDO (pdo_pgsql) through the proxy, with its defaults: prepare() gives the statement a name on the server, and the end of
// the statement deallocates it by SQL. PHP runs one query at a time, so clients take turns: all connected, each again and
// again on whatever server is free.
//
// Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
$clients = (int)getenv('CLIENTS');
$servers = (int)getenv('SERVERS');
$in_session_pool = getenv('POOL_MODE') === 'session';
$ca_file = getenv('PGSSLROOTCERT');
$here = 'host=127.0.0.1;port=' . getenv('PGPORT') . ';dbname=' . getenv('PGDATABASE');

function connect(): PDO { global $here; return new PDO("pgsql:$here", getenv('PGUSER'), getenv('PGPASSWORD')); }
function connect_all(): array { global $clients; return array_map(fn() => connect(), range(1, $clients)); }

function one(PDO $client, string $sql, array $values = []) {
    $statement = $client->prepare($sql);
    $statement->execute($values);
    return $statement->fetchColumn();
}
function same($got, $wanted): void {
    if ($got !== $wanted) throw new Exception(substr(var_export($got, true), 0, 200) . ', not ' . substr(var_export($wanted, true), 0, 200));
}
function fails(string $state, callable $work): void {
    try { $work(); } catch (PDOException $error) { same((string)$error->getCode(), $state); return; }
    throw new Exception("no error came, $state was due");
}

$checks = [
    'the connection is as secure as asked for' => function () use ($ca_file) {
        same(one(connect(), 'select ssl from pg_stat_ssl where pid = pg_backend_pid()'), $ca_file !== false);
    },
    'each client gets its own answers' => function () {
        $all = connect_all();
        foreach (range(1, 20) as $turn)
            foreach ($all as $number => $client)
                same(one($client, 'select ?::int * 1000 + ?', [$number, $turn]), $number * 1000 + $turn);
    },
    'prepared statements are found again' => function () {
        $all = connect_all();
        $statements = [];
        foreach ($all as $number => $client) $statements[] = $client->prepare('select ?::int + ' . $number % 5);
        foreach (range(1, 10) as $turn)
            foreach ($statements as $number => $statement) {
                $statement->execute([$turn]);
                same($statement->fetchAll(PDO::FETCH_COLUMN), [$turn + $number % 5]);
            }
        $all[0]->beginTransaction();    // the server that has just run one, not one that is new
        $statements[0]->execute([1]);
        $statements[0]->fetchAll();
        same(one($all[0], 'select count(*) >= 1 from pg_prepared_statements where not from_sql'), true);
        $all[0]->commit();
    },
    'transactions commit and roll back' => function () {
        $all = connect_all();
        $all[0]->exec('create table kept (n int)');
        foreach ($all as $number => $client) {
            $insert = $client->prepare('insert into kept values (?)');
            $client->beginTransaction();
            $first = $client->query("select pg_backend_pid() || ' ' || txid_current()")->fetchColumn();
            $insert->execute([$number]);
            $client->exec('savepoint s');
            fails('22P02', fn() => $insert->execute(['no number']));
            $client->exec('rollback to savepoint s');
            same($client->query("select pg_backend_pid() || ' ' || txid_current()")->fetchColumn(), $first);
            $client->commit();
            $client->beginTransaction();
            $insert->execute([-2]);
            $client->rollBack();
        }
        same(one($all[0], "select sum(n) || '/' || count(*) from kept"), count($all) * (count($all) - 1) / 2 . '/' . count($all));
    },
    'a statement that ends in a transaction leaves it whole' => function () {
        $client = connect();
        $client->exec('create table whole (n int)');
        foreach (range(1, 5) as $turn) {
            $client->beginTransaction();
            one($client, 'insert into whole values (?) returning n', [$turn]);
            one($client, 'insert into whole values (?) returning n', [$turn]);
            $client->commit();
        }
        same(one($client, 'select count(*) from whole'), 10);
    },
    'an error leaves the session usable' => function () {
        foreach (connect_all() as $client)
            foreach (range(1, 5) as $turn) {
                fails('22012', fn() => one($client, 'select 1 / ?::int', [0]));
                fails('42703', fn() => one($client, 'select no_such_column'));
                same(one($client, 'select 7'), 7);
            }
    },
    'values arrive unchanged' => function () {
        $client = connect();
        $values = [null, '{1,NULL,3}', '2024-02-29', '12345678901234567890.123456789', str_repeat("wéir\n", 400000)];
        $statement = $client->prepare('select ?::int, ?::int[], ?::date, ?::numeric, ?::text');
        $statement->execute($values);
        same($statement->fetch(PDO::FETCH_NUM), $values);
        $blob = str_repeat(implode('', array_map('chr', range(0, 255))), 4000);
        $statement = $client->prepare('select ?::bytea');
        $statement->bindValue(1, $blob, PDO::PARAM_LOB);
        $statement->execute();
        same(stream_get_contents($statement->fetchColumn()), $blob);
    },
    'copy in and out agree' => function () {
        $client = connect();
        $client->exec('create table copied (n int, t text, m int)');
        $lines = array_map(fn($n) => "$n\t" . str_repeat('x', $n % 700) . "\t" . ($n % 7 ? '\\N' : $n) . "\n", range(0, 2999));
        same($client->pgsqlCopyFromArray('copied', $lines), true);
        same($client->pgsqlCopyToArray('(select * from copied order by n)'), $lines);
        fails('22P02', fn() => $client->pgsqlCopyFromArray('copied', ["no number\tx\t1\n"]));
        same(one($client, 'select count(*) from copied'), 3000);
    },
    'a cursor reads part by part' => function () {
        $client = connect();
        $client->beginTransaction();
        $cursor = $client->prepare('select n from generate_series(1, 500) n', [PDO::ATTR_CURSOR => PDO::CURSOR_SCROLL]);
        $cursor->execute();
        $sum = 0;
        while (($n = $cursor->fetchColumn()) !== false) $sum += $n;
        $client->commit();
        same($sum, 125250);
    },
    'large objects keep their bytes' => function () {
        $client = connect();
        $client->beginTransaction();
        $id = $client->pgsqlLOBCreate();
        $stream = $client->pgsqlLOBOpen($id, 'w');
        fwrite($stream, str_repeat('weir', 50000));
        $stream = null;
        $client->commit();
        $client->beginTransaction();
        same(stream_get_contents($client->pgsqlLOBOpen($id, 'r')), str_repeat('weir', 50000));
        $client->commit();
    },
    $in_session_pool ? 'notifications arrive' : 'servers are shared' => function () use ($in_session_pool, $servers) {
        if ($in_session_pool) {
            $listener = connect();
            $listener->exec('listen news');
            connect()->exec("notify news, 'flood'");
            same($listener->pgsqlGetNotify(PDO::FETCH_NUM, 30000)[0], 'news');
        } else {
            $all = connect_all();
            $pids = array_map(fn($client) => one($client, 'select pg_backend_pid()'), [...$all, ...$all]);
            same(count(array_unique($pids)) <= $servers, true);
        }
    },
];

$failed = 0;
foreach ($checks as $name => $check) {
    try {
        $check();
        echo "ok $name\n";
    } catch (Throwable $error) {
        $failed++;
        echo "FAILED $name: " . str_replace("\n", ' ', get_class($error) . ': ' . $error->getMessage() . ' at line ' . $error->getLine()) . "\n";
    }
}
exit($failed ? 1 : 0);
