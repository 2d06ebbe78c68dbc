//! The names of this service: what is signed for one service must not be good at another.

use url::{Host, Url};

/// Where this service is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origins(Vec<String>);

impl Origins {
    /// Those of these URLs. None at all means this machine alone, under every port.
    pub fn new(urls: impl IntoIterator<Item = Url>) -> Self {
        Self(urls.into_iter().map(|url| url.authority().to_ascii_lowercase()).collect())
    }

    /// Whether an authority, without the port that goes without saying, is one of them.
    pub fn holds(&self, authority: &str) -> bool {
        if !self.0.is_empty() {
            return self.0.iter().any(|own| own == authority);
        }
        match Url::parse(&format!("http://{authority}/")).ok().as_ref().and_then(Url::host) {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self::new([])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_knows_its_names() {
        let named =
            Origins::new(["https://Sales.example.org/".parse().unwrap(), "http://10.0.0.1:8080".parse().unwrap()]);
        for (authority, held) in [
            ("sales.example.org", true),
            ("10.0.0.1:8080", true),
            ("10.0.0.1", false),
            ("sales.example.org.evil.example", false),
            ("localhost", false),
            ("", false),
        ] {
            assert_eq!(named.holds(authority), held, "{authority}");
        }
        let unnamed = Origins::default();
        for (authority, held) in [
            ("localhost", true),
            ("localhost:8080", true),
            ("127.0.0.1:8080", true),
            ("[::1]:8080", true),
            ("localhost.example.org", false),
            ("user@example.org", false),
            ("127.0.0.1@example.org", false),
            ("example.org", false),
            ("", false),
        ] {
            assert_eq!(unnamed.holds(authority), held, "{authority}");
        }
    }
}
