//! Where webhooks may be sent, and how often: what `serve` and `up` are told.

use std::time::Duration;

use clap::Args;
use ipnet::IpNet;

use super::keys::network;
use crate::webhooks::{Guard, Options, Schedule};

/// Flags of webhooks.
#[derive(Args, Clone, Debug)]
pub struct WebhookArgs {
    /// Networks that webhooks may be sent to although they are not public, as 10.1.0.0/16.
    #[arg(long, value_delimiter = ',', value_name = "CIDR", value_parser = network)]
    webhook_allow: Vec<IpNet>,
    /// Sends webhooks to http:// too: without TLS anybody on the way reads them.
    #[arg(long)]
    webhook_allow_http: bool,
    /// Seconds before the second and each further attempt to send a message, which is then given up; ten attempts in three days if it is
    /// not set.
    #[arg(long, value_delimiter = ',', value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(..=604_800))]
    webhook_retry: Vec<u64>,
    /// Seconds that a webhook's receiver has for its answer.
    #[arg(long, default_value_t = 15, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    webhook_timeout: u64,
}

impl WebhookArgs {
    /// Where messages may go.
    pub fn guard(&self) -> Guard {
        Guard::new(self.webhook_allow.clone(), self.webhook_allow_http)
    }

    /// How they are sent.
    pub fn options(&self) -> Options {
        let options = Options::default();
        let timeout = Duration::from_secs(self.webhook_timeout);
        let pauses = self.webhook_retry.iter().copied().map(Duration::from_secs);
        let schedule = if self.webhook_retry.is_empty() { options.schedule } else { Schedule::new(pauses) };
        Options { schedule, timeout, connect_timeout: options.connect_timeout.min(timeout), ..options }
    }
}
