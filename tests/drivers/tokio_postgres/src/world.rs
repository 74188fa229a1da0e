//! What the checks share: the world they are called in, many clients at once, comparing.

use crate::tls::Tls;
use futures::future::join_all;
use std::env;
use tokio_postgres::{error::SqlState, Client, Error, NoTls};

pub type Failure = Box<dyn std::error::Error + Send + Sync>;
pub type Outcome = Result<(), Failure>;

pub fn number(name: &str) -> usize {
    env::var(name).unwrap().parse().unwrap()
}

pub fn settings() -> tokio_postgres::Config {
    let mut settings = tokio_postgres::Config::new();
    settings.host("127.0.0.1").port(number("PGPORT") as u16).user(&env::var("PGUSER").unwrap());
    settings.password(env::var("PGPASSWORD").unwrap()).dbname(&env::var("PGDATABASE").unwrap());
    if env::var("PGSSLROOTCERT").is_ok() {
        settings.ssl_mode(tokio_postgres::config::SslMode::Require);
    }
    settings
}

pub fn trusted() -> Option<Tls> {
    env::var("PGSSLROOTCERT").ok().map(|file| Tls::trusting(&file).unwrap())
}

pub async fn connected() -> Result<Client, Failure> {
    match trusted() {
        Some(tls) => {
            let (client, connection) = settings().connect(tls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
        None => {
            let (client, connection) = settings().connect(NoTls).await?;
            tokio::spawn(connection);
            Ok(client)
        }
    }
}

pub async fn on_many_clients<Work>(work: impl Fn(Client, i32) -> Work) -> Outcome
where
    Work: std::future::Future<Output = Outcome> + Send + 'static,
{
    let mut running = Vec::new();
    for client in 0..number("CLIENTS") {
        running.push(tokio::spawn(work(connected().await?, client as i32)));
    }
    for one in join_all(running).await {
        one??;
    }
    Ok(())
}

pub fn same<Value: PartialEq + std::fmt::Debug>(got: Value, wanted: Value) -> Outcome {
    if got == wanted {
        return Ok(());
    }
    Err(format!("{:.100}, not {:.100}", format!("{got:?}"), format!("{wanted:?}")).into())
}

pub fn fails<Value>(state: SqlState, result: Result<Value, Error>) -> Outcome {
    match result {
        Ok(_) => Err(format!("no error came, {} was due", state.code()).into()),
        Err(error) => same(error.code(), Some(&state)),
    }
}
