create table numbers (n integer primary key, word text);
insert into numbers values (1, 'one'), (2, 'two'), (3, 'three');
grant all on numbers to public;
create table empty_table (n integer, word text);
grant all on empty_table to public;
create function say_notice(what text) returns void language plpgsql as $$ begin raise notice '%', what; end $$;
