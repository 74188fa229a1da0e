#!/usr/bin/env bash
# pg_dump and pg_restore through the proxy: what comes out must be what went in.
#
#   dump_restore.sh [PRESET] [--workers N] [--proxy-binary PATH] [--keep]
set -euo pipefail
# shellcheck source=tests/integration/lib.sh
source "$(dirname "$0")/lib.sh"

# One of each kind that travels differently: wide rows, binary, large objects, triggers, sequences, names that need quotes.
fill() {
    pgbench -i -q -s 2 -p "$pg_port" source
    psql -Xq -v ON_ERROR_STOP=1 -p "$pg_port" -d source <<'SQL'
create schema "Odd ""name";
create type "Odd ""name".mood as enum ('calm', 'tense');
create table "Odd ""name"."a table" (id serial primary key, m "Odd ""name".mood, t text, b bytea, j jsonb, a int[], at timestamptz default 'epoch');
insert into "Odd ""name"."a table" (m, t, b, j, a)
    select 'calm', repeat(chr(192 + n % 60), n % 3000), decode(md5(n::text), 'hex'), jsonb_build_object('n', n), array[n, null, -n] from generate_series(1, 2000) n;
insert into "Odd ""name"."a table" (t) values (null), (''), (E'tab\tand\\backslash\nand line'), (repeat('wide', 500000));
create view tense as select * from "Odd ""name"."a table" where m = 'tense';
create function twice(int) returns int language sql immutable as 'select 2 * $1';
create index on "Odd ""name"."a table" (twice(id));
create materialized view counted as select count(*) from pgbench_accounts;
select lo_from_bytea(4711, decode(repeat('00ff', 100000), 'hex'));
SQL
}

dump_of() { # PORT DATABASE: as text; psql's session tokens of newer pg_dump differ each time
    pg_dump -p "$1" "$2" | grep -vE '^\\(un)?restrict '
}
same_text() { # A B
    cmp "$folder/$1" "$folder/$2" && [[ $(wc -c <"$folder/$1") -gt 1000000 ]]
}

text_dump() {
    dump_of "$pg_port" source >"$folder/direct.sql"
    dump_of "$proxy_port" source >"$folder/proxied.sql"
    same_text direct.sql proxied.sql
}
restore_archive() {
    direct_sql 'create database copy'
    pg_dump -p "$proxy_port" -Fc source | pg_restore -p "$proxy_port" --exit-on-error -d copy
    dump_of "$pg_port" copy >"$folder/copy.sql"
    same_text direct.sql copy.sql
}
restore_parallel() {
    direct_sql 'create database parallel'
    pg_dump -p "$proxy_port" -Fd -j 3 -f "$folder/archive" source
    pg_restore -p "$proxy_port" --exit-on-error -j 3 -d parallel "$folder/archive"
    dump_of "$pg_port" parallel >"$folder/parallel.sql"
    same_text direct.sql parallel.sql
}
restore_script() {
    direct_sql 'create database script'
    psql -Xq -v ON_ERROR_STOP=1 -p "$proxy_port" -d script -f "$folder/proxied.sql" >/dev/null
    dump_of "$pg_port" script >"$folder/script.sql"
    same_text direct.sql script.sql
}

parse_options "$@"
start_postgres
direct_sql 'create database source'
fill >"$folder/fill.log" 2>&1
start_proxy session 'pool_mode = session' 'default_pool_size = 20'
check "a dump through the proxy is the direct one's text" text_dump
check "pg_dump -Fc into pg_restore" restore_archive
check "pg_dump -j 3 and pg_restore -j 3" restore_parallel
check "a dump's script run by psql" restore_script
check "the proxy is well" proxy_is_well
finish
