#!/usr/bin/ruby
# ruby-pg through the proxy: unnamed and named statements, a pipeline, COPY.
#
# Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
require 'pg'

CLIENTS = Integer(ENV['CLIENTS'])
SERVERS = Integer(ENV['SERVERS'])
IN_SESSION_POOL = ENV['POOL_MODE'] == 'session'
CA_FILE = ENV['PGSSLROOTCERT']
BACKEND = "select pg_backend_pid() || ' ' || txid_current()".freeze
Thread.report_on_exception = false

def same(got, wanted)
  raise "#{got.inspect[0, 200]}, not #{wanted.inspect[0, 200]}" unless got == wanted
end

def fails(error)
  yield
rescue error
  nil
else
  raise "no #{error} came"
end

def with_client
  client = PG.connect # by libpq's environment
  yield client
ensure
  client&.close
end

def on_many_clients
  Array.new(CLIENTS) { |number| Thread.new { with_client { |client| yield client, number } } }.map(&:value)
end

def one(client, sql, *values)
  client.exec_params(sql, values).getvalue(0, 0)
end

def each_client_gets_its_own_answers
  on_many_clients do |client, number|
    40.times do |turn|
      same client.exec_params('select $1::int, $2::text', [number * 1000 + turn, "c#{number}"]).values, [["#{number * 1000 + turn}", "c#{number}"]]
    end
  end
end

def prepared_statements_are_found_again
  on_many_clients do |client, number|
    client.prepare('add', "select $1::int + #{number % 5}")
    30.times { |turn| same client.exec_prepared('add', [turn]).getvalue(0, 0), (turn + number % 5).to_s }
    same client.describe_prepared('add').nparams, 1
    fails(PG::DuplicatePstatement) { client.prepare('add', 'select 1') }
    fails(PG::InvalidSqlStatementName) { client.exec_prepared('never', []) }
    same client.exec_prepared('add', [1]).getvalue(0, 0), (1 + number % 5).to_s
  end
end

def transactions_commit_and_roll_back
  with_client { |client| client.exec('create table kept (n int)') }
  on_many_clients do |client, number|
    client.transaction do
      first = one(client, BACKEND)
      one(client, 'insert into kept values ($1) returning n', number)
      client.exec('savepoint s')
      fails(PG::DivisionByZero) { one(client, 'insert into kept values (1 / $1::int)', 0) }
      client.exec('rollback to savepoint s')
      same one(client, BACKEND), first
    end
    fails(PG::UndefinedColumn) { client.transaction { client.exec('insert into kept values (-2)'); client.exec('select no_such_column') } }
  end
  with_client { |client| same one(client, "select sum(n) || '/' || count(*) from kept"), "#{CLIENTS * (CLIENTS - 1) / 2}/#{CLIENTS}" }
end

def values_arrive_unchanged
  with_client do |client|
    values = [nil, '{1,NULL,3}', '2024-02-29', '12345678901234567890.123456789', "wéir\n" * 400_000]
    same client.exec_params('select $1::int, $2::int[], $3::date, $4::numeric, $5::text', values).values, [values]
    blob = [*0..255].pack('C*') * 8000
    result = client.exec_params('select $1::bytea', [{ value: blob, format: 1 }], 1)
    same result.getvalue(0, 0), blob
  end
end

def copy_in_and_out_agree
  lines = Array.new(5000) { |n| "#{n}\t#{'x' * (n % 700)}\t#{(n % 7).zero? ? n : '\\N'}\n" }
  with_client do |client|
    client.exec('create table copied (n int, t text, m int)')
    client.copy_data('copy copied from stdin') { lines.each { |line| client.put_copy_data(line) } }
    back = []
    client.copy_data('copy (select * from copied order by n) to stdout') { while (line = client.get_copy_data) do back << line end }
    same back, lines
    fails(PG::InvalidTextRepresentation) { client.copy_data('copy copied from stdin') { client.put_copy_data("no number\tx\t1\n") } }
    same one(client, 'select count(*) from copied'), '5000'
  end
end

def a_pipeline_is_answered_in_order_up_to_its_error
  on_many_clients do |client, number|
    client.prepare('divide', 'select 100 / $1::int')
    client.enter_pipeline_mode
    [1, 2, 0, 4].each { |n| client.send_query_prepared('divide', [n]) }
    client.pipeline_sync
    [5, 10].each { |n| client.send_query_prepared('divide', [n]) }
    client.pipeline_sync
    same Array.new(4) { outcome(client) }, ['100', '50', '22012', :skipped]
    same client.get_result.result_status, PG::PGRES_PIPELINE_SYNC
    same Array.new(2) { outcome(client) }, %w[20 10]
    same client.get_result.result_status, PG::PGRES_PIPELINE_SYNC
    client.exit_pipeline_mode
    same one(client, 'select 8'), '8'
  end
end

def outcome(client)
  result = client.get_result
  client.get_result # the nil between two queries
  case result.result_status
  when PG::PGRES_TUPLES_OK then result.getvalue(0, 0)
  when PG::PGRES_PIPELINE_ABORTED then :skipped
  else result.error_field(PG::PG_DIAG_SQLSTATE)
  end
end

def a_single_row_at_a_time
  on_many_clients do |client|
    client.send_query_params('select n from generate_series(1, $1::int) n', [2000])
    client.set_single_row_mode
    sum = 0
    client.get_result.stream_each_row { |row| sum += row[0].to_i }
    same sum, 2_001_000
  end
end

def a_cancel_ends_its_own_query_only
  on_many_clients do |client, number|
    if number.positive?
      20.times { |turn| same one(client, 'select $1::int from pg_sleep(0.01)', turn), turn.to_s }
    else
      canceller = Thread.new { sleep 0.5; client.cancel }
      fails(PG::QueryCanceled) { client.exec('select pg_sleep(60)') }
      canceller.join
      same one(client, 'select 4'), '4'
    end
  end
end

def servers_are_shared
  clients = Array.new(CLIENTS) { PG.connect }
  used = clients.map { |client| Thread.new { one(client, 'select pg_backend_pid()') } }.map(&:value).uniq.size
  same used.between?(1, SERVERS), true
ensure
  clients.each(&:close)
end

def notifications_arrive
  with_client do |listener|
    listener.exec('listen news')
    with_client { |teller| one(teller, "select pg_notify('news', $1)", 'flood') }
    got = nil
    listener.wait_for_notify(60) { |channel, _pid, payload| got = [channel, payload] }
    same got, %w[news flood]
  end
end

def the_connection_is_as_secure_as_asked_for
  with_client { |client| same client.ssl_in_use?, !CA_FILE.nil? }
end

checks = %i[the_connection_is_as_secure_as_asked_for each_client_gets_its_own_answers prepared_statements_are_found_again
            transactions_commit_and_roll_back values_arrive_unchanged copy_in_and_out_agree
            a_pipeline_is_answered_in_order_up_to_its_error a_single_row_at_a_time a_cancel_ends_its_own_query_only]
checks << (IN_SESSION_POOL ? :notifications_arrive : :servers_are_shared)
failed = checks.count do |check|
  name = check.to_s.tr('_', ' ')
  send(check)
  puts "ok #{name}"
  false
rescue StandardError => e
  puts "FAILED #{name}: #{e.class}: #{e.message.tr("\n", ' ')}"
  true
end
exit failed.zero?
