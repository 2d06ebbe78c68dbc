//! What the server says of a request's sender.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::ConnectInfo,
    http::{Extensions, request::Parts},
};

/// The address that a request comes from. The server sets it; no header of the request has a say in it, but where the server trusts
/// the proxy that wrote it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// Of a request; none where nobody has set it. An IPv4 address in an IPv6 one is the IPv4 address.
    pub fn of(parts: &Parts) -> Option<IpAddr> {
        Self::among(&parts.extensions)
    }

    fn among(extensions: &Extensions) -> Option<IpAddr> {
        let set = extensions.get::<Self>().map(|c| c.0);
        let peer = || extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        set.or_else(peer).map(|address| address.to_canonical())
    }
}

/// The value of `x-request-id`, checked or made by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);
