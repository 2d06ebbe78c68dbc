//! Where messages may go: to public addresses, and to what the operator allows beside them. Whoever makes a webhook chooses its address, and
//! must not reach through this service what only this service can reach.

use std::{
    fmt,
    io::{Error, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    sync::Arc,
    time::Duration,
};

use futures::future::BoxFuture;
use ipnet::IpNet;
use url::{Host, Url};

/// Longest that a name may take to be resolved.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is not public, of IPv4.
const NOT_PUBLIC: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),       // this network
    (Ipv4Addr::new(10, 0, 0, 0), 8),      // private
    (Ipv4Addr::new(100, 64, 0, 0), 10),   // shared by the customers of a carrier
    (Ipv4Addr::new(127, 0, 0, 0), 8),     // loopback
    (Ipv4Addr::new(169, 254, 0, 0), 16),  // link-local, with the metadata of clouds
    (Ipv4Addr::new(172, 16, 0, 0), 12),   // private
    (Ipv4Addr::new(192, 0, 0, 0), 24),    // protocols
    (Ipv4Addr::new(192, 0, 2, 0), 24),    // documentation
    (Ipv4Addr::new(192, 88, 99, 0), 24),  // relays of 6to4
    (Ipv4Addr::new(192, 168, 0, 0), 16),  // private
    (Ipv4Addr::new(198, 18, 0, 0), 15),   // benchmarks
    (Ipv4Addr::new(198, 51, 100, 0), 24), // documentation
    (Ipv4Addr::new(203, 0, 113, 0), 24),  // documentation
    (Ipv4Addr::new(224, 0, 0, 0), 4),     // multicast
    (Ipv4Addr::new(240, 0, 0, 0), 4),     // reserved, broadcast
];

/// Of IPv6 only what is allocated, 2000::/3, is public, and not all of it.
const NOT_PUBLIC_6: [(Ipv6Addr, u32); 4] = [
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23), // protocols: Teredo, ORCHID, benchmarks
    (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0), 32), // documentation
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16), // 6to4, which leads to any IPv4 address
    (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20), // documentation
];

/// Why nothing is sent there. What a name resolves to is not said: it may be a name of the operator's own network.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// No URL, or longer than [`Target::LONGEST`].
    #[error("must be an absolute URL of at most {} characters, such as https://example.org/webhooks", Target::LONGEST)]
    Form,
    /// Another scheme.
    #[error("must begin with {0}")]
    Scheme(&'static str),
    /// A user name or a password.
    #[error("must not have a user name or a password: messages are signed instead")]
    UserInfo,
    /// A fragment.
    #[error("must not have a fragment: no server would see it")]
    Fragment,
    /// A port that other services have.
    #[error("must have port 443, or one from 1024 on")]
    Port,
    /// An address that is not public.
    #[error("must be a public address: {0} is not")]
    Address(IpAddr),
    /// A name that does not resolve to public addresses alone.
    #[error("must have a host whose name resolves to public addresses, and to no others")]
    Name,
}

/// Turns names into addresses.
pub trait Resolver: fmt::Debug + Send + Sync {
    /// The addresses of a host.
    fn resolve(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>>;
}

/// As the system does it.
#[derive(Clone, Copy, Debug)]
pub struct SystemResolver;

impl Resolver for SystemResolver {
    fn resolve(&self, host: String) -> BoxFuture<'static, std::io::Result<Vec<IpAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, 0)).await?.map(|a| a.ip()).collect()) })
    }
}

/// A URL that messages can be sent to, as far as can be seen from it.
#[derive(Clone, PartialEq, Eq)]
pub struct Target(Url);

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Target({})", self.place())
    }
}

impl Target {
    /// Most characters.
    pub const LONGEST: usize = 2_048;

    /// The URL, in its one form.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The part that can be shown to others: path and query may hold a secret of the receiver's.
    pub fn place(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

/// Tells where messages may go. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Guard {
    allowed: Vec<IpNet>,
    http: bool,
    resolver: Arc<dyn Resolver>,
}

impl Default for Guard {
    /// To public addresses alone, over TLS.
    fn default() -> Self {
        Self { allowed: Vec::new(), http: false, resolver: Arc::new(SystemResolver) }
    }
}

impl Guard {
    /// To public addresses and these networks, and with `http` without TLS too.
    pub fn new(allowed: Vec<IpNet>, http: bool) -> Self {
        Self { allowed, http, ..Self::default() }
    }

    /// The same with another way to find addresses.
    #[must_use]
    pub fn with_resolver(self, resolver: impl Resolver + 'static) -> Self {
        Self { resolver: Arc::new(resolver), ..self }
    }

    /// Whether it lets messages go without TLS.
    pub fn allows_http(&self) -> bool {
        self.http
    }

    /// What can be said of a URL without asking anybody. A host that is an address, in whatever notation, is checked here: no resolver
    /// will be asked for it.
    ///
    /// # Errors
    /// [`TargetError`].
    pub fn parse(&self, text: &str) -> Result<Target, TargetError> {
        let url = if text.chars().count() <= Target::LONGEST { Url::parse(text).ok() } else { None };
        let url = url.filter(|url| url.as_str().len() <= Target::LONGEST).ok_or(TargetError::Form)?;
        match url.scheme() {
            "https" => {}
            "http" if self.http => {}
            _ => return Err(TargetError::Scheme(if self.http { "https:// or http://" } else { "https://" })),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(TargetError::UserInfo);
        }
        if url.fragment().is_some() {
            return Err(TargetError::Fragment);
        }
        let usual = if url.scheme() == "http" { 80 } else { 443 };
        if !url.port().is_none_or(|port| port == usual || port == 443 || port >= 1024) {
            return Err(TargetError::Port);
        }
        match url.host() {
            Some(Host::Ipv4(address)) => self.check(address.into())?,
            Some(Host::Ipv6(address)) => self.check(address.into())?,
            Some(Host::Domain(name)) if !name.is_empty() => {}
            _ => return Err(TargetError::Form),
        }
        Ok(Target(url))
    }

    /// Whether messages may go to an address.
    ///
    /// # Errors
    /// [`TargetError::Address`].
    pub fn check(&self, address: IpAddr) -> Result<(), TargetError> {
        // An IPv4 address in an IPv6 one is connected to as what it is.
        let plain = address.to_canonical();
        if is_public(plain) || self.allowed.iter().any(|network| network.contains(&plain)) {
            return Ok(());
        }
        Err(TargetError::Address(address))
    }

    /// The addresses of a host, if messages may go to each of them. These are what has to be connected to: asked again, the name's owner
    /// may answer otherwise.
    ///
    /// # Errors
    /// [`TargetError::Name`].
    pub async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, TargetError> {
        let late = || Error::from(ErrorKind::TimedOut);
        let found = match tokio::time::timeout(PATIENCE, self.resolver.resolve(host.to_owned())).await {
            Ok(found) => found,
            Err(_) => Err(late()),
        };
        let addresses = found.map_err(|error| {
            tracing::debug!(%error, "the name of a webhook's host does not resolve");
            TargetError::Name
        })?;
        if addresses.is_empty() {
            return Err(TargetError::Name);
        }
        // One that is not public among others that are: somebody tries something.
        for address in &addresses {
            self.check(*address).map_err(|_| {
                tracing::debug!(%address, "the name of a webhook's host resolves to an address that is not public");
                TargetError::Name
            })?;
        }
        Ok(addresses)
    }

    /// Whether messages may go there now, as far as its name's owner says now.
    ///
    /// # Errors
    /// [`TargetError`].
    pub async fn look(&self, target: &Target) -> Result<(), TargetError> {
        if let Some(Host::Domain(name)) = target.0.host() {
            self.resolve(name).await?;
        }
        Ok(())
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            !NOT_PUBLIC.iter().any(|(network, bits)| v4.to_bits() >> (32 - bits) == network.to_bits() >> (32 - bits))
        }
        IpAddr::V6(v6) => {
            let bits = v6.to_bits();
            // Translated by NAT64: it leads to the IPv4 address at its end.
            if bits >> 32 == Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0).to_bits() >> 32 {
                return is_public(Ipv4Addr::from_bits(bits as u32).into());
            }
            bits >> 125 == 1
                && !NOT_PUBLIC_6
                    .iter()
                    .any(|(network, length)| bits >> (128 - length) == network.to_bits() >> (128 - length))
        }
    }
}
