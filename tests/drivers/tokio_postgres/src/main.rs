//! tokio-postgres through the proxy, with its defaults: every query with values is a named statement, closed when it is
//! dropped, and queries of one client go out without waiting for each other.
//!
//! Prints `ok NAME` or `FAILED NAME: why` for each check; ends with status 1 if one failed.

mod tls;
mod world;

use futures::future::{join_all, try_join_all, BoxFuture};
use futures::{pin_mut, stream, FutureExt, SinkExt, StreamExt, TryStreamExt};
use std::{collections::HashSet, env, io, time::Duration};
use tokio_postgres::{error::SqlState, AsyncMessage, Error, NoTls};
use world::{connected, fails, number, on_many_clients, same, settings, trusted, Outcome};

const BACKEND: &str = "select pg_backend_pid()::text || ' ' || txid_current()::text";

async fn each_client_gets_its_own_answers() -> Outcome {
    on_many_clients(|client, number| async move {
        for turn in 0..40 {
            let row = client.query_one("select $1::int4 * 1000 + $2::int4, $3::text", &[&number, &turn, &"wéir"]).await?;
            same((row.get::<_, i32>(0), row.get::<_, &str>(1)), (number * 1000 + turn, "wéir"))?;
        }
        Ok(())
    })
    .await
}

async fn statements_are_found_again() -> Outcome {
    on_many_clients(|client, number| async move {
        let add = client.prepare(&format!("select $1::int4 + {}", number % 5)).await?;
        for turn in 0..30 {
            same(client.query_one(&add, &[&turn]).await?.get::<_, i32>(0), turn + number % 5)?;
        }
        let prepared = client.query_one("select count(*) from pg_prepared_statements where not from_sql", &[]).await?;
        same(prepared.get::<_, i64>(0) >= 1, true)
    })
    .await
}

async fn a_pipeline_is_answered_in_order() -> Outcome {
    on_many_clients(|client, number| async move {
        let add = client.prepare("select 100 / $1::int4").await?;
        let divisors: Vec<i32> = (0..60).map(|n| n % 10).collect();
        let answers = join_all(divisors.iter().map(|n| {
            let (client, add) = (&client, &add);
            async move { client.query_one(add, &[n]).await }
        }))
        .await;
        for (n, answer) in divisors.iter().zip(answers) {
            if *n == 0 {
                fails(SqlState::DIVISION_BY_ZERO, answer)?;
            } else {
                same(answer?.get::<_, i32>(0), 100 / n)?;
            }
        }
        let sums = try_join_all((number..number + 20).map(|n| {
            let client = &client;
            async move { client.query_one("select $1::int4", &[&n]).await }
        }))
        .await?;
        same(sums.iter().map(|row| row.get::<_, i32>(0)).collect::<Vec<_>>(), (number..number + 20).collect())
    })
    .await
}

async fn transactions_commit_and_roll_back() -> Outcome {
    connected().await?.batch_execute("create table kept (n int4)").await?;
    on_many_clients(|mut client, number| async move {
        let mut inside = client.transaction().await?;
        let first: String = inside.query_one(BACKEND, &[]).await?.get(0);
        inside.execute("insert into kept values ($1)", &[&number]).await?;
        let deeper = inside.savepoint("s").await?;
        fails(SqlState::DIVISION_BY_ZERO, deeper.execute("insert into kept values (1 / $1::int4)", &[&0]).await)?;
        deeper.rollback().await?;
        same(inside.query_one(BACKEND, &[]).await?.get::<_, String>(0), first)?;
        inside.commit().await?;
        let undone = client.transaction().await?;
        undone.execute("insert into kept values (-2)", &[]).await?;
        drop(undone);
        fails(SqlState::UNDEFINED_COLUMN, client.query("select no_such_column", &[]).await)?;
        Ok(())
    })
    .await?;
    let row = connected().await?.query_one("select count(*), sum(n) from kept", &[]).await?;
    let clients = number("CLIENTS") as i64;
    same((row.get::<_, i64>(0), row.get::<_, i64>(1)), (clients, clients * (clients - 1) / 2))
}

async fn values_arrive_unchanged() -> Outcome {
    let client = connected().await?;
    let (text, blob): (String, Vec<u8>) = ("wéir\n".repeat(400_000), (0..2_000_000u32).map(|n| (n * 7) as u8).collect());
    let (numbers, texts) = (vec![Some(1), None, Some(3)], vec![Some("a,b"), Some("\""), None]);
    let row = client
        .query_one("select $1::int4, $2::int4[], $3::text[], $4::text, $5::bytea, $6::float8, $7::bool", &[&None::<i32>, &numbers, &texts, &text, &blob, &0.1f64, &true])
        .await?;
    same(row.get::<_, Option<i32>>(0), None)?;
    same(row.get::<_, Vec<Option<i32>>>(1), numbers)?;
    same(row.get::<_, Vec<Option<&str>>>(2), texts)?;
    same(row.get::<_, &str>(3) == text && row.get::<_, &[u8]>(4) == blob, true)?;
    same((row.get::<_, f64>(5), row.get::<_, bool>(6)), (0.1, true))
}

async fn types_of_the_database_are_looked_up() -> Outcome {
    connected().await?.batch_execute("create type mood as enum ('sad', 'ok')").await?;
    on_many_clients(|client, _| async move {
        let row = client.query_one("select 'ok'::mood, array['sad'::mood]", &[]).await?;
        same(row.columns()[0].type_().name().to_string(), "mood".to_string())?;
        same(row.columns()[1].type_().name().to_string(), "_mood".to_string())
    })
    .await
}

async fn copy_in_and_out_agree() -> Outcome {
    let client = connected().await?;
    client.batch_execute("create table copied (n int4, t text)").await?;
    let text: String = (0..5000).map(|n| format!("{n}\t{}\n", "x".repeat(n % 700))).collect();
    let sink = client.copy_in("copy copied from stdin").await?;
    pin_mut!(sink);
    sink.send(bytes(&text)).await?;
    same(sink.finish().await?, 5000)?;
    let parts: Vec<_> = client.copy_out("copy (select * from copied order by n) to stdout").await?.try_collect().await?;
    same(parts.concat() == text.as_bytes(), true)?;
    let wrong = client.copy_in("copy copied from stdin").await?;
    pin_mut!(wrong);
    wrong.send(bytes("no number\tx\n")).await?;
    fails(SqlState::INVALID_TEXT_REPRESENTATION, wrong.finish().await)?;
    same(client.query_one("select count(*) from copied", &[]).await?.get::<_, i64>(0), 5000)
}

fn bytes(text: &str) -> io::Cursor<Vec<u8>> {
    io::Cursor::new(text.as_bytes().to_vec())
}

async fn a_portal_is_read_part_by_part() -> Outcome {
    on_many_clients(|mut client, number| async move {
        let inside = client.transaction().await?;
        let portal = inside.bind("select n from generate_series(1, 500 + $1::int4) n", &[&number]).await?;
        let mut sum = 0;
        loop {
            let rows = inside.query_portal(&portal, 70).await?;
            if rows.is_empty() {
                break;
            }
            sum += rows.iter().map(|row| row.get::<_, i32>(0)).sum::<i32>();
        }
        inside.commit().await?;
        same(sum, (500 + number) * (501 + number) / 2)
    })
    .await
}

async fn a_cancel_ends_its_own_query_only() -> Outcome {
    on_many_clients(|client, number| async move {
        if number > 0 {
            for turn in 0..20 {
                same(client.query_one("select $1::int4 from pg_sleep(0.01)", &[&turn]).await?.get::<_, i32>(0), turn)?;
            }
            return Ok(());
        }
        let token = client.cancel_token();
        let canceller = tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            match trusted() {
                Some(tls) => token.cancel_query(tls).await,
                None => token.cancel_query(NoTls).await,
            }
        });
        fails(SqlState::QUERY_CANCELED, client.query("select pg_sleep(60)", &[]).await)?;
        let _ = canceller.await?;                            // over TLS its goodbye may find the line closed already
        same(client.query_one("select 4", &[]).await?.get::<_, i32>(0), 4)
    })
    .await
}

async fn servers_are_shared() -> Outcome {
    let clients = try_join_all((0..number("CLIENTS")).map(|_| connected())).await?;
    let rows = try_join_all(clients.iter().map(|client| client.query_one("select pg_backend_pid()", &[]))).await?;
    let used = rows.iter().map(|row| row.get::<_, i32>(0)).collect::<HashSet<_>>().len();
    same((1..=number("SERVERS")).contains(&used), true)
}

async fn notifications_arrive() -> Outcome {
    let (client, news) = match trusted() {
        Some(tls) => {
            let (client, mut connection) = settings().connect(tls).await?;
            (client, tokio::spawn(async move { first_notification(stream::poll_fn(move |context| connection.poll_message(context))).await }))
        }
        None => {
            let (client, mut connection) = settings().connect(NoTls).await?;
            (client, tokio::spawn(async move { first_notification(stream::poll_fn(move |context| connection.poll_message(context))).await }))
        }
    };
    client.batch_execute("listen news").await?;
    connected().await?.batch_execute("notify news, 'flood'").await?;
    same(news.await?, Some("flood".to_string()))
}

async fn first_notification(mut messages: impl futures::Stream<Item = Result<AsyncMessage, Error>> + Unpin) -> Option<String> {
    while let Some(Ok(message)) = messages.next().await {
        if let AsyncMessage::Notification(news) = message {
            return Some(news.payload().to_string());
        }
    }
    None
}

async fn the_connection_is_as_secure_as_asked_for() -> Outcome {
    let row = connected().await?.query_one("select ssl from pg_stat_ssl where pid = pg_backend_pid()", &[]).await?;
    same(row.get::<_, bool>(0), trusted().is_some())         // both legs are TLS, or neither is
}

async fn holds(name: &str, check: BoxFuture<'static, Outcome>) -> bool {
    let why = match tokio::time::timeout(Duration::from_secs(120), check).await {
        Ok(Ok(())) => {
            println!("ok {name}");
            return true;
        }
        Ok(Err(error)) => error.to_string(),
        Err(_) => "no answer within 120 s".to_string(),
    };
    println!("FAILED {name}: {}", why.replace('\n', " "));
    false
}

#[tokio::main]
async fn main() {
    let mut checks: Vec<(&str, BoxFuture<'static, Outcome>)> = vec![
        ("the connection is as secure as asked for", the_connection_is_as_secure_as_asked_for().boxed()),
        ("each client gets its own answers", each_client_gets_its_own_answers().boxed()),
        ("prepared statements are found again", statements_are_found_again().boxed()),
        ("a pipeline is answered in order, errors too", a_pipeline_is_answered_in_order().boxed()),
        ("transactions commit and roll back", transactions_commit_and_roll_back().boxed()),
        ("values arrive unchanged", values_arrive_unchanged().boxed()),
        ("types of the database are looked up", types_of_the_database_are_looked_up().boxed()),
        ("copy in and out agree", copy_in_and_out_agree().boxed()),
        ("a portal is read part by part", a_portal_is_read_part_by_part().boxed()),
        ("a cancel ends its own query only", a_cancel_ends_its_own_query_only().boxed()),
    ];
    if env::var("POOL_MODE").unwrap() == "session" {
        checks.push(("notifications arrive", notifications_arrive().boxed()));
    } else {
        checks.push(("servers are shared", servers_are_shared().boxed()));
    }
    let mut failed = false;
    for (name, check) in checks {
        failed |= !holds(name, check).await;
    }
    std::process::exit(failed.into());
}
