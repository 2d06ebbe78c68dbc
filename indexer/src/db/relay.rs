//! A connection that writes: small messages leave at once, and a server whose host is gone is noticed.
//!
//! sqlx neither sets `TCP_NODELAY` nor keepalives, and lets nobody else do it. A COPY of a few rows is two small messages in a row,
//! and the second then waits for the delayed acknowledgement of the first: 40 ms a table in a block at the head. So its connection
//! goes over a socket inside this process, to a TCP connection that is set up as it should be.
//! `docs/decisions/0011-a-relay-to-the-database.md` says more.

use std::time::Duration;

use sqlx::{ConnectOptions, Connection, PgConnection, postgres::PgConnectOptions};

/// What takes longer is worth a warning: an index over millions of rows takes some seconds.
const SLOW: Duration = Duration::from_secs(60);

/// Connects as `options` say.
pub(super) async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
    let mut options = options.clone();
    if let Ok(level) = "warn".parse() {
        options = options.log_slow_statements(level, SLOW);
    }
    #[cfg(target_os = "linux")]
    if options.get_socket().is_none() && !options.get_host().starts_with('/') {
        return linux::connect(&options).await;
    }
    PgConnection::connect_with(&options).await
}

#[cfg(target_os = "linux")]
mod linux {
    use std::{
        collections::hash_map::RandomState,
        hash::{BuildHasher, Hasher},
        io,
        time::Duration,
    };

    use nix::sys::socket::{setsockopt, sockopt};
    use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};
    use tokio::{
        io::copy_bidirectional_with_sizes,
        net::{TcpStream, UnixListener, UnixStream},
    };
    use tokio_util::task::AbortOnDropHandle;

    /// Bytes that are under way in each direction.
    const BUFFER: usize = 128 * 1024;
    /// Silence after which the server's host is asked whether it is there.
    const KEEPALIVE_IDLE: u32 = 10;
    /// Seconds between two such questions.
    const KEEPALIVE_INTERVAL: u32 = 5;
    /// So many of them without an answer end the connection.
    const KEEPALIVE_COUNT: u32 = 3;
    /// How long sent bytes may stay without an acknowledgement.
    /// Also where the server is there but takes nothing, because its disk does not: that must be able to pass.
    const UNACKNOWLEDGED: Duration = Duration::from_secs(120);

    pub async fn connect(options: &PgConnectOptions) -> Result<PgConnection, sqlx::Error> {
        let mut server = TcpStream::connect((options.get_host(), options.get_port())).await?;
        set_up(&server)?;
        // An abstract name: it needs no folder, and is gone with the process. sqlx appends the port as to a folder.
        // Nobody can guess it, and take it before.
        let salt = RandomState::new().build_hasher().finish();
        let name = format!("\0crowdsale/{}/{salt:x}", std::process::id());
        let listener = UnixListener::bind(format!("{name}/.s.PGSQL.{}", options.get_port()))?;
        let relay = AbortOnDropHandle::new(tokio::spawn(async move {
            let mut client = accept_own(listener).await?;
            // The end of either end ends both; whoever waits for an answer then sees the connection closed.
            copy_bidirectional_with_sizes(&mut client, &mut server, BUFFER, BUFFER).await
        }));
        let connection = PgConnection::connect_with(&options.clone().socket(name)).await?;
        relay.detach();
        Ok(connection)
    }

    /// An abstract name has no permissions: anybody on this machine could connect, and is turned away.
    async fn accept_own(listener: UnixListener) -> io::Result<UnixStream> {
        loop {
            let (stream, _) = listener.accept().await?;
            if stream.peer_cred()?.pid() == i32::try_from(std::process::id()).ok() {
                return Ok(stream);
            }
        }
    }

    fn set_up(server: &TcpStream) -> io::Result<()> {
        server.set_nodelay(true)?;
        setsockopt(server, sockopt::KeepAlive, &true)?;
        setsockopt(server, sockopt::TcpKeepIdle, &KEEPALIVE_IDLE)?;
        setsockopt(server, sockopt::TcpKeepInterval, &KEEPALIVE_INTERVAL)?;
        setsockopt(server, sockopt::TcpKeepCount, &KEEPALIVE_COUNT)?;
        setsockopt(server, sockopt::TcpUserTimeout, &(UNACKNOWLEDGED.as_millis() as u32))?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::{PgPool, postgres::PgConnectOptions};

    use super::*;

    fn options(pool: &PgPool) -> PgConnectOptions {
        (*pool.connect_options()).clone()
    }

    #[sqlx::test(migrations = false)]
    async fn large_messages_and_large_answers_come_through(pool: PgPool) {
        let mut connection = connect(&options(&pool)).await.unwrap();
        let sent: Vec<u8> = (0..5_000_000_u32).map(|i| (i % 251) as u8).collect();
        let answer: Vec<u8> =
            sqlx::query_scalar("SELECT $1 || $1").bind(&sent).fetch_one(&mut connection).await.unwrap();
        assert!(answer == [sent.clone(), sent].concat());
        connection.close().await.unwrap();
    }

    #[sqlx::test(migrations = false)]
    async fn the_end_of_one_side_is_the_end_of_the_other(pool: PgPool) {
        let mut connection = connect(&options(&pool)).await.unwrap();
        let ended: bool = sqlx::query_scalar("SELECT pg_terminate_backend($1)")
            .bind(sqlx::query_scalar::<_, i32>("SELECT pg_backend_pid()").fetch_one(&mut connection).await.unwrap())
            .fetch_one(&pool)
            .await
            .unwrap();
        assert!(ended);
        let error = sqlx::query("SELECT 1").execute(&mut connection).await.unwrap_err();
        assert!(crate::db::is_broken(&error), "{error}");

        // Dropped without a word, as by a future that is cancelled: the server must not keep the session and its locks.
        let mut connection = connect(&options(&pool)).await.unwrap();
        sqlx::query("SELECT pg_advisory_lock(42)").execute(&mut connection).await.unwrap();
        drop(connection);
        sqlx::query("SELECT pg_advisory_lock(42)").execute(&mut *pool.acquire().await.unwrap()).await.unwrap();
    }

    #[sqlx::test(migrations = false)]
    async fn what_keeps_from_connecting_is_said(pool: PgPool) {
        let refused = connect(&options(&pool).port(1)).await.unwrap_err();
        assert!(
            matches!(&refused, sqlx::Error::Io(e) if e.kind() == std::io::ErrorKind::ConnectionRefused),
            "{refused}"
        );
        let unknown = connect(&options(&pool).database("there_is_none")).await.unwrap_err();
        assert!(unknown.to_string().contains("there_is_none"), "{unknown}");
        let tls = connect(&options(&pool).ssl_mode(sqlx::postgres::PgSslMode::VerifyFull)).await.unwrap_err();
        assert!(matches!(tls, sqlx::Error::Tls(_)), "{tls}");
    }
}
