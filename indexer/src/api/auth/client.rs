//! What the server says of a request's sender.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

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

    /// The same, of a request's extensions.
    pub fn among(extensions: &Extensions) -> Option<IpAddr> {
        let set = extensions.get::<Self>().map(|c| c.0);
        let peer = || extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        set.or_else(peer).map(|address| address.to_canonical())
    }
}

/// What limits count an address as: an IPv6 host has a whole /64 to write its address in.
pub fn counted(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(six) => Ipv6Addr::from_bits(six.to_bits() >> 64 << 64).into(),
    }
}

/// The value of `x-request-id`, checked or made by the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId(pub String);
