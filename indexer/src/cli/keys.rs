//! `crowdsale keys`: keys of the API.

use anyhow::Result;
use clap::{Args, Subcommand};
use ipnet::IpNet;
use jiff::Timestamp;
use serde::Serialize;
use sqlx::{Acquire as _, PgPool};

use super::{
    database::DatabaseArgs,
    failure::Failure,
    printer::{Printer, Report, table},
    voucher::duration_text,
};
use crate::{
    access::{self, Created, KeyTerms, Mode, Pepper, PublicKey, PublicKeyForm, Scope, Source},
    config,
    db::service::{
        self,
        keys::{self, KeyRow},
    },
};

/// The commands below `keys`.
#[derive(Debug, Subcommand)]
pub enum KeysCommand {
    Create(CreateArgs),
    List(ListArgs),
    Rotate(RotateArgs),
    Revoke(RevokeArgs),
}

/// Makes a key of the API and prints it, once
///
/// It is kept as a hash alone: nothing can show it again. With --public-key, what is registered is another's public key, and there is nothing to keep secret. Else it needs the master key, CROWDSALE_MASTER_KEY or CROWDSALE_MASTER_KEY_FILE.
#[derive(Args, Debug)]
#[command(after_long_help = "\
Examples:
  crowdsale keys create 'order desk' --scope orders:write --scope sales:read --network 203.0.113.0/24 --expires-in 90d
  crowdsale keys create 'first administrator' --scope keys:admin
  crowdsale keys create 'exchange' --scope orders:write --public-key exchange.pub.pem")]
pub struct CreateArgs {
    /// What it is for
    #[arg(value_name = "LABEL")]
    label: String,
    /// What it may do: sales:read, contributions:read, exports:read, webhooks:write, orders:write, vouchers:write, keys:admin
    #[arg(long, value_name = "SCOPE", required = true)]
    scope: Vec<Scope>,
    /// An address or a network that it may be used from; everywhere if there is none
    #[arg(long, value_name = "CIDR", value_parser = network)]
    network: Vec<IpNet>,
    /// How long it is good for, such as 90d; without, until it is revoked
    #[arg(long, value_name = "DURATION", value_parser = duration_text)]
    expires_in: Option<u64>,
    /// Its owner's Ed25519 public key, a PEM file or its 32 bytes in base64: the owner signs requests (RFC 9421), and no key is made
    #[arg(long, value_name = "KEY", value_parser = public_key)]
    public_key: Option<PublicKey>,
    /// Write test into it instead of live, for a key that is used where no money is
    #[arg(long)]
    test: bool,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Shows all keys: what they may do, until when, and when they were last used
#[derive(Args, Debug)]
pub struct ListArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Makes a key that takes another's place, and prints it, once
///
/// Both are good until the grace is over, so that whoever uses it can change over without a pause.
#[derive(Args, Debug)]
#[command(after_long_help = "Example:\n  crowdsale keys rotate key_4rSw0JXjKzPq81mUcdYt --grace 7d")]
pub struct RotateArgs {
    /// The key's id
    #[arg(value_name = "KEY")]
    id: String,
    /// How long the old one goes on, up to 30 days; 0 ends it at once
    #[arg(long, value_name = "DURATION", default_value = "1d", value_parser = grace)]
    grace: u64,
    /// For a key whose owner signs requests, the public key that takes the place of its own
    #[arg(long, value_name = "KEY", value_parser = public_key)]
    public_key: Option<PublicKey>,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// Ends a key at once, for ever
#[derive(Args, Debug)]
pub struct RevokeArgs {
    /// The key's id
    #[arg(value_name = "KEY")]
    id: String,
    #[command(flatten)]
    database: DatabaseArgs,
}

/// A network as it is written, or one address.
pub fn network(text: &str) -> Result<IpNet, String> {
    access::parse_network(text).ok_or_else(|| "write an address or a network, such as 203.0.113.0/24".to_owned())
}

fn public_key(text: &str) -> Result<PublicKey, String> {
    match std::fs::read_to_string(text) {
        Ok(file) => file.parse().map_err(|form: PublicKeyForm| form.to_string()),
        Err(unread) => {
            text.parse().map_err(|form: PublicKeyForm| format!("no file of that name ({unread}), and it {form}"))
        }
    }
}

fn grace(text: &str) -> Result<u64, String> {
    if text == "0" { Ok(0) } else { duration_text(text) }
}

/// Who runs the command, for the audit log.
pub fn operator() -> Source {
    let user = nix::unistd::User::from_uid(nix::unistd::getuid()).ok().flatten().map(|u| u.name);
    Source { actor: format!("operator:{}", user.as_deref().unwrap_or("unknown")), ..Source::default() }
}

async fn connect(database: &DatabaseArgs) -> Result<PgPool> {
    Ok(service::services(&database.options()?, 1).await?)
}

/// Runs the command.
///
/// # Errors
/// Those of the command.
pub async fn run(command: KeysCommand, printer: Printer) -> Result<()> {
    match command {
        KeysCommand::Create(args) => {
            let terms = KeyTerms {
                label: args.label,
                mode: if args.test { Mode::Test } else { Mode::Live },
                scopes: args.scope,
                networks: args.network,
                expires_in_seconds: args.expires_in.map(|s| i64::try_from(s).unwrap_or(i64::MAX)),
            };
            if let Some((field, fault)) = terms.faults().into_iter().next() {
                return Err(Failure::new(
                    format!("no key with this {}", field.replace('_', " ")),
                    fault,
                    "change it, and run it again",
                ));
            }
            if let Some(public_key) = args.public_key {
                let pool = connect(&args.database).await?;
                let mut transaction = pool.begin().await?;
                let row = access::register(&mut transaction, &terms, public_key, &operator()).await?;
                transaction.commit().await?;
                return printer.result(&Shown::from(row));
            }
            let (pool, pepper) = opened(&args.database).await?;
            let mut transaction = pool.begin().await?;
            let created = access::create(&mut transaction, &pepper, &terms, &operator()).await?;
            transaction.commit().await?;
            shown_once(created, printer)
        }
        KeysCommand::List(args) => {
            let pool = connect(&args.database).await?;
            let mut connection = pool.acquire().await?;
            let (mut rows, mut after) = (Vec::new(), None);
            loop {
                let page = keys::list(&mut connection, after.as_deref(), 200).await?;
                let Some(last) = page.last() else { break };
                after = Some(last.id.clone());
                rows.extend(page.into_iter().map(Shown::from));
            }
            printer.result(&Keys { keys: rows })
        }
        KeysCommand::Rotate(args) => {
            let grace = i64::try_from(args.grace).unwrap_or(i64::MAX);
            if let Some(public_key) = args.public_key {
                let pool = connect(&args.database).await?;
                let mut transaction = pool.begin().await?;
                let row = access::rotate_public(&mut transaction, &args.id, public_key, grace, &operator()).await?;
                transaction.commit().await?;
                printer.note(format!("{} goes on for {grace} s at most", args.id));
                return printer.result(&Shown::from(row));
            }
            let (pool, pepper) = opened(&args.database).await?;
            let mut transaction = pool.begin().await?;
            let created = access::rotate(&mut transaction, &pepper, &args.id, grace, &operator()).await?;
            transaction.commit().await?;
            printer.note(format!("{} goes on for {grace} s at most", args.id));
            shown_once(created, printer)
        }
        KeysCommand::Revoke(args) => {
            let pool = connect(&args.database).await?;
            let mut connection = pool.acquire().await?;
            let mut transaction = connection.begin().await?;
            let row = access::revoke(&mut transaction, &args.id, &operator()).await?;
            transaction.commit().await?;
            printer.result(&Shown::from(row))
        }
    }
}

async fn opened(database: &DatabaseArgs) -> Result<(PgPool, Pepper)> {
    let sealer = config::read_sealer()?;
    let pool = connect(database).await?;
    let pepper = access::pepper(&mut *pool.acquire().await?, &sealer).await?;
    Ok((pool, pepper))
}

fn shown_once(created: Created, printer: Printer) -> Result<()> {
    printer.note(format!("{} is its id, by which it is rotated and revoked", created.row.id));
    printer.note("the key is shown this once: put it where its user keeps secrets");
    printer.result(&Fresh { secret: created.key.expose().to_owned(), key: created.row.into() })
}

#[derive(Serialize)]
struct Shown {
    id: String,
    label: String,
    prefix: String,
    scopes: Vec<String>,
    networks: Vec<String>,
    state: String,
    created_at: String,
    expires_at: Option<String>,
    revoked_at: Option<String>,
    replaced_by: Option<String>,
    last_used_at: Option<String>,
}

fn time(seconds: i64) -> String {
    Timestamp::from_second(seconds).map(|t| t.to_string()).unwrap_or_default()
}

impl From<KeyRow> for Shown {
    fn from(row: KeyRow) -> Self {
        Self {
            id: row.id,
            label: row.label,
            prefix: row.prefix,
            scopes: row.scopes,
            networks: row.networks,
            state: row.state,
            created_at: time(row.created_at),
            expires_at: row.expires_at.map(time),
            revoked_at: row.revoked_at.map(time),
            replaced_by: row.replaced_by,
            last_used_at: row.last_used_at.map(time),
        }
    }
}

impl Report for Shown {
    fn text(&self) -> String {
        let or = |value: &Option<String>, none: &str| value.clone().unwrap_or_else(|| none.to_owned());
        let networks = if self.networks.is_empty() { "everywhere".to_owned() } else { self.networks.join(" ") };
        table(&[
            ("key", self.id.clone()),
            ("label", self.label.clone()),
            ("begins with", self.prefix.clone()),
            ("state", self.state.clone()),
            ("may", self.scopes.join(" ")),
            ("from", networks),
            ("made", self.created_at.clone()),
            ("ends", or(&self.expires_at, "when it is revoked")),
            ("replaced by", or(&self.replaced_by, "none")),
            ("last used", or(&self.last_used_at, "never")),
        ])
    }
}

#[derive(Serialize)]
struct Keys {
    keys: Vec<Shown>,
}

impl Report for Keys {
    fn text(&self) -> String {
        if self.keys.is_empty() {
            return "no keys; `crowdsale keys create` makes one".to_owned();
        }
        self.keys.iter().map(Report::text).collect::<Vec<_>>().join("\n")
    }
}

/// A fresh key. Printing it is what the command is for.
#[derive(Serialize)]
struct Fresh {
    secret: String,
    key: Shown,
}

impl Report for Fresh {
    fn text(&self) -> String {
        self.secret.clone()
    }
}
