#!/usr/bin/ruby
# Active Record through the proxy, with its defaults: every statement is prepared under a name, up to 1,000 are kept, and
# migrations take an advisory lock of the session's.
#
# Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
require 'active_record'
require 'timeout'

CLIENTS = Integer(ENV['CLIENTS'])
SERVERS = Integer(ENV['SERVERS'])
IN_SESSION_POOL = ENV['POOL_MODE'] == 'session'
CONNECTION = {
  adapter: 'postgresql', host: '127.0.0.1', port: ENV['PGPORT'], username: ENV['PGUSER'], password: ENV['PGPASSWORD'],
  database: ENV['PGDATABASE'], pool: CLIENTS, checkout_timeout: 60
}.freeze
Thread.report_on_exception = false

class Author < ActiveRecord::Base
  has_many :books, dependent: :destroy
end

class Book < ActiveRecord::Base
  belongs_to :author
end

class MakeLibrary < ActiveRecord::Migration[6.1]
  def change
    create_table(:authors) { |t| t.text :name, null: false, index: { unique: true } }
    create_table :books do |t|
      t.references :author, foreign_key: true
      t.text :title
      t.decimal :price, precision: 12, scale: 2
      t.date :printed
      t.text :tags, array: true
      t.jsonb :facts
      t.timestamps
    end
  end
end

class AddSold < ActiveRecord::Migration[6.1]
  def change
    add_column :books, :sold, :integer, default: 0
  end
end

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

# The main thread gives its connection back first: a session pool has as many servers as there are clients.
def on_many_clients
  ActiveRecord::Base.clear_active_connections!
  Array.new(CLIENTS) { |number| Thread.new { ActiveRecord::Base.connection_pool.with_connection { |client| yield number, client } } }.map(&:value)
end

def migrate(version = nil)
  migrations = [[MakeLibrary, 1], [AddSold, 2]].map { |type, number| type.new(type.name, number) }
  ActiveRecord::Migrator.new(version.to_i.zero? || version == 2 ? :up : :down, migrations, ActiveRecord::SchemaMigration, version).migrate
end

def migrations_run_forwards_and_backwards
  ActiveRecord::Migration.verbose = false
  migrate
  migrate(1)
  Book.reset_column_information
  same Book.column_names.include?('sold'), false
  migrate(2)
  Book.reset_column_information
  same Book.column_names.include?('sold'), true
end

def many_write_and_read_in_transactions
  on_many_clients do |number|
    Author.transaction do
      author = Author.create!(name: "author #{number}")
      10.times { |n| author.books.create!(title: "book #{n}", price: '12.50', printed: '2024-02-29', tags: ['a,b', nil, '"'], facts: { 'é' => [nil, n] }) }
      fails(ActiveRecord::RecordNotUnique) { Author.transaction(requires_new: true) { Author.create!(name: "author #{number}") } }
    end
    5.times do
      book = Book.joins(:author).where(authors: { name: "author #{number}" }).order(:id).offset(3).first
      same [book.title, book.price.to_s, book.printed.to_s, book.tags, book.facts], ['book 3', '12.5', '2024-02-29', ['a,b', nil, '"'], { 'é' => [nil, 3] }]
    end
  end
  same Book.group(:author_id).count.values, [10] * CLIENTS
end

def prepared_statements_are_found_again
  on_many_clients do |_number, client|
    30.times { |n| same Book.where('price > ?', 1).where(sold: 0).limit(n + 1).to_a.size, n + 1 }
    same client.select_value('select count(*) >= 1 from pg_prepared_statements where not from_sql'), true
  end
end

def an_exception_rolls_back
  on_many_clients do |number|
    fails(ZeroDivisionError) { Author.transaction { Author.create!(name: "lost #{number}"); 1 / 0 } }
    fails(ActiveRecord::StatementInvalid) { Author.where('no_such_column = 1').to_a }
    same Author.where(name: "lost #{number}").count, 0
  end
end

def what_many_add_is_there_once
  id = Book.minimum(:id)
  on_many_clients do
    5.times do
      Book.update_counters(id, sold: 1)
      Book.transaction { Book.lock.find(id).increment!(:sold) }
    end
  end
  same Book.sum(:sold), 10 * CLIENTS
end

def batches_read_all
  seen = 0
  Book.find_each(batch_size: 17) { seen += 1 }
  same seen, 10 * CLIENTS
end

# What a statement of before gives has changed: the adapter lets it go and prepares it again, for ever if that is in vain.
def a_changed_table_is_seen
  on_many_clients { Author.find_by(name: 'author 0') }
  ActiveRecord::Base.connection.execute('alter table authors add born date')
  on_many_clients { Timeout.timeout(30) { same Author.find_by(name: 'author 0').name, 'author 0' } }
end

# With fewer kept than are used each new one lets the oldest go, in a transaction too.
def more_statements_than_are_kept
  ActiveRecord::Base.establish_connection(CONNECTION.merge(statement_limit: 10))
  on_many_clients do |number|
    Author.transaction do
      20.times do |conditions|
        query = (1..conditions).reduce(Author.where(name: "author #{number}")) { |longer, n| longer.where.not(id: -n) }
        same query.to_a.map(&:name), ["author #{number}"]
      end
      Author.create!(name: "after #{number}")
    end
  end
  same Author.where("name like 'after%'").count, CLIENTS
end

def servers_are_shared
  together = Queue.new
  pids = on_many_clients do |_number, client|
    pid = client.select_value('select pg_backend_pid()')
    together << pid
    sleep 0.01 until together.size == CLIENTS
    pid
  end
  same pids.uniq.size.between?(1, SERVERS), true
end

ActiveRecord::Base.establish_connection(CONNECTION)
checks = %i[migrations_run_forwards_and_backwards many_write_and_read_in_transactions prepared_statements_are_found_again
            an_exception_rolls_back what_many_add_is_there_once batches_read_all a_changed_table_is_seen more_statements_than_are_kept]
checks << :servers_are_shared unless IN_SESSION_POOL
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
