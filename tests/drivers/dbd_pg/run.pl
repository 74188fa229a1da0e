#!/usr/bin/perl
# DBD::Pg through the proxy, with its defaults: a statement gets a name at its second run. Clients are processes of their own.
#
# Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.
use strict;
use warnings;
use utf8;
use DBI;
use DBD::Pg qw(:pg_types :async);

my ($clients, $servers) = @ENV{qw(CLIENTS SERVERS)};
my $in_session_pool = $ENV{POOL_MODE} eq 'session';
my $backend = "select pg_backend_pid() || ' ' || txid_current()";
$| = 1;

sub connected { return DBI->connect('dbi:Pg:', '', '', {RaiseError => 1, PrintError => 0, PrintWarn => 0, @_}) }
sub same {
    my ($got, $wanted) = map { $_ // 'NULL' } @_;
    die substr($got, 0, 200) . ', not ' . substr($wanted, 0, 200) . "\n" if $got ne $wanted;
}
sub one { my ($client, $sql, @values) = @_; return scalar $client->selectrow_array($sql, undef, @values) }
sub fails {
    my ($client, $state, $work) = @_;
    eval { $work->(); 1 } and die "no error came, $state was due\n";
    same($client->state, $state);
}

# What fails while a statement is taken away is only warned of by Perl; here it is a failure.
my @warnings;
$SIG{__WARN__} = sub { push @warnings, @_ };
sub warned_of_nothing { my ($first) = splice @warnings; die $first if defined $first }

# Each client is a child; what it says is its result.
sub on_many_clients {
    my ($work) = @_;
    my @running;
    for my $number (0 .. $clients - 1) {
        my $child = open(my $said, '-|') // die "no process: $!";
        if (!$child) {
            my $result = eval { my $client = connected(); my $r = $work->($client, $number) // ''; $client->disconnect; warned_of_nothing(); "ok $r" };
            print $result // "FAILED $@";
            close STDOUT;
            require POSIX;
            POSIX::_exit(0);
        }
        push @running, $said;
    }
    my @said = map { local $/; my $handle = $_; scalar <$handle> } @running;
    close $_ for @running;
    /^ok /s or die $_ for @said;
    return map { substr $_, 3 } @said;
}

my @checks = (
    'the connection is as secure as asked for' => sub {
        same(one(connected(), 'select ssl::text from pg_stat_ssl where pid = pg_backend_pid()'), $ENV{PGSSLROOTCERT} ? 'true' : 'false');
    },
    'each client gets its own answers' => sub {
        on_many_clients(sub {
            my ($client, $number) = @_;
            same(one($client, 'select ?::int * 1000 + ?', $number, $_), $number * 1000 + $_) for 1 .. 40;
        });
    },
    'prepared statements are found again' => sub {
        on_many_clients(sub {
            my ($client, $number) = @_;
            my $add = $client->prepare('select ?::int + ' . $number % 5);
            for my $turn (1 .. 30) {
                $add->execute($turn);
                same($add->fetchall_arrayref->[0][0], $turn + $number % 5);
            }
            $client->begin_work;    # the server that has just run it, not one that is new
            $add->execute(1);
            same(one($client, 'select count(*) >= 1 from pg_prepared_statements where not from_sql'), 1);
            $client->commit;
        });
    },
    'transactions commit and roll back' => sub {
        connected()->do('create table kept (n int)');
        on_many_clients(sub {
            my ($client, $number) = @_;
            my $insert = $client->prepare('insert into kept values (?)');
            $client->begin_work;
            my $first = one($client, $backend);
            $insert->execute($number);
            $client->pg_savepoint('s');
            fails($client, '22P02', sub { $client->do("insert into kept values ('no number')") });
            $client->pg_rollback_to('s');
            same(one($client, $backend), $first);
            $client->commit;
            $client->begin_work;
            $insert->execute(-$_) for 1 .. 3;
            $client->rollback;
        });
        same(one(connected(), "select sum(n) || '/' || count(*) from kept"), $clients * ($clients - 1) / 2 . "/$clients");
    },
    'a statement that ends in a transaction leaves it whole' => sub {
        my $client = connected();
        $client->do('create table whole (n int)');
        for my $turn (1 .. 5) {
            $client->begin_work;
            { my $insert = $client->prepare('insert into whole values (?)'); $insert->execute($_) for 1 .. 3; }
            $client->do('insert into whole values (4)');
            $client->commit;
        }
        same(one($client, 'select count(*) from whole'), 20);
    },
    'an error leaves the session usable' => sub {
        on_many_clients(sub {
            my ($client, $number) = @_;
            my $division = $client->prepare('select 100 / ?::int');
            for my $turn (1 .. 20) {
                fails($client, '22012', sub { $division->execute(0) });
                $division->execute($turn);
                same($division->fetchall_arrayref->[0][0], int(100 / $turn));
            }
        });
    },
    'values arrive unchanged' => sub {
        my $client = connected();
        my $row = $client->selectrow_arrayref('select ?::int, ?::int[], ?::date, ?::numeric, ?::text', undef,
            undef, [1, undef, 3], '2024-02-29', '12345678901234567890.123456789', "wéir\n" x 400000);
        same($row->[0], undef);
        same(join(',', map { $_ // 'NULL' } @{$row->[1]}), '1,NULL,3');
        same($row->[2] . $row->[3], '2024-02-2912345678901234567890.123456789');
        same($row->[4], "wéir\n" x 400000);
        my $statement = $client->prepare('select ?::bytea');
        my $blob = join('', map { chr } 0 .. 255) x 4000;
        $statement->bind_param(1, $blob, {pg_type => PG_BYTEA});
        $statement->execute;
        same($statement->fetchall_arrayref->[0][0], $blob);
    },
    'copy in and out agree' => sub {
        my $client = connected();
        $client->do('create table copied (n int, t text, m int)');
        my @lines = map { "$_\t" . 'x' x ($_ % 700) . "\t" . ($_ % 7 ? '\\N' : $_) . "\n" } 0 .. 4999;
        $client->do('copy copied from stdin');
        $client->pg_putcopydata($_) for @lines;
        $client->pg_putcopyend;
        $client->do('copy (select * from copied order by n) to stdout');
        my ($line, $back) = ('', '');
        $back .= $line while $client->pg_getcopydata($line) >= 0;
        same($back, join '', @lines);
        $client->do('copy copied from stdin');
        fails($client, '22P02', sub { $client->pg_putcopydata("no number\tx\t1\n"); $client->pg_putcopyend });
        same(one($client, 'select count(*) from copied'), 5000);
    },
    'a cursor reads part by part' => sub {
        on_many_clients(sub {
            my ($client) = @_;
            $client->begin_work;
            $client->do('declare many cursor for select n from generate_series(1, 500) n');
            my $sum = 0;
            while (1) {
                my $rows = $client->selectcol_arrayref('fetch 70 from many');
                last unless @$rows;
                $sum += $_ for @$rows;
            }
            $client->commit;
            same($sum, 125250);
        });
    },
    'a cancel ends its own query only' => sub {
        on_many_clients(sub {
            my ($client, $number) = @_;
            if ($number) {
                same(one($client, 'select ?::int from pg_sleep(0.01)', $_), $_) for 1 .. 20;
                return;
            }
            $client->do('select pg_sleep(60)', {pg_async => PG_ASYNC});
            select(undef, undef, undef, 0.5);
            same($client->pg_cancel ? 'cancelled' : 'ended', 'cancelled');
            same(one($client, 'select 4'), 4);
        });
    },
    $in_session_pool ? ('notifications arrive' => sub {
        my $listener = connected();
        $listener->do('listen news');
        connected()->do("notify news, 'flood'");
        my $news;
        for (1 .. 600) { $news = $listener->pg_notifies and last; select(undef, undef, undef, 0.1); }
        same($news ? "$news->[0]: $news->[2]" : 'nothing', 'news: flood');
    }) : ('servers are shared' => sub {
        my @all = map { connected() } 1 .. $clients;
        my %used = map { one($_, 'select pg_backend_pid()') => 1 } @all, @all;
        same(scalar(keys %used) <= $servers ? 'shared' : 'not', 'shared');
    }),
);

my $failed = 0;
while (my ($name, $check) = splice @checks, 0, 2) {
    if (eval { $check->(); warned_of_nothing(); 1 }) { print "ok $name\n"; next; }
    $failed++;
    my $why = $@;
    @warnings = ();
    $why =~ s/\s+/ /g;
    print "FAILED $name: $why\n";
}
exit($failed ? 1 : 0);
