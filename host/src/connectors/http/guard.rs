//! The guard before every outgoing request (OWASP, server-side request forgery): an address that a person has configured must
//! not lead into the network that the desk itself stands in. Names are resolved first, and the connection goes to an address
//! that was looked at, so that a name which answers differently the second time gains nothing.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Hosts that may be asked although they are inside, and without TLS: names and addresses as they stand in a URL.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InternalHosts(BTreeSet<String>);

impl InternalHosts {
    /// These hosts; case, a dot at the end and the brackets of an IPv6 address do not matter.
    pub fn new(hosts: impl IntoIterator<Item = String>) -> Self {
        Self(hosts.into_iter().map(|host| plain(&host)).collect())
    }

    /// These and one more.
    #[must_use]
    pub fn and(&self, host: &str) -> Self {
        Self(self.0.iter().cloned().chain([plain(host)]).collect())
    }

    /// Whether a host is among them.
    pub fn has(&self, host: &str) -> bool {
        self.0.contains(&plain(host))
    }
}

fn plain(host: &str) -> String {
    host.trim_end_matches('.').trim_matches(['[', ']']).to_lowercase()
}

/// A host that resolves to no address that may be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{host} leads to {address}, which is not a public address: name the host in `[outgoing] internal-hosts` if it may be asked"
)]
pub struct Inside {
    pub host: String,
    pub address: IpAddr,
}

/// Checks a host that is written as an address.
///
/// # Errors
///
/// [`Inside`].
pub fn check_address(host: &str, address: IpAddr, internal: &InternalHosts) -> Result<(), Inside> {
    match is_public(address) || internal.has(host) {
        true => Ok(()),
        false => Err(Inside { host: host.to_owned(), address }),
    }
}

/// Looks names up, and gives only the addresses that may be asked.
#[derive(Debug, Clone)]
pub struct Resolver {
    pub internal: Arc<InternalHosts>,
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let internal = Arc::clone(&self.internal);
        Box::pin(async move {
            let host = name.as_str();
            let found: Vec<SocketAddr> = tokio::net::lookup_host((host, 0)).await?.collect();
            let may_be_asked: Vec<SocketAddr> = match internal.has(host) {
                true => found.clone(),
                false => found.iter().copied().filter(|found| is_public(found.ip())).collect(),
            };
            match (may_be_asked.is_empty(), found.first()) {
                (true, Some(inside)) => Err(Inside { host: host.to_owned(), address: inside.ip() }.into()),
                _ => Ok(Box::new(may_be_asked.into_iter()) as Addrs),
            }
        })
    }
}

/// Whether an address is reached through the public internet, by the registries of special addresses that RFC 6890 began.
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match (a, b, c) {
        // This network, private use, loopback, link-local with the metadata services of clouds, multicast and beyond.
        (0 | 10 | 127 | 224.., ..) | (169, 254, _) | (172, 16..=31, _) | (192, 168, _) => true,
        // Between carriers and customers, protocol assignments, the old relay of 6to4, benchmarks.
        (100, 64..=127, _) | (192, 0, 0) | (192, 88, 99) | (198, 18 | 19, _) => true,
        // Documentation.
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => true,
        _ => false,
    };
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, d, e, f, g, h] = address.segments();
    let embedded = |high: u16, low: u16| {
        let ([w, x], [y, z]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(w, x, y, z))
    };
    match (a, b) {
        // An IPv4 address in another dress (RFC 4291, 2.5.5.2; RFC 6052; RFC 3056).
        (0, 0) if (c, d, e, f) == (0, 0, 0, 0xffff) => embedded(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => embedded(g, h),
        (0x2002, high) => embedded(high, c),
        // Protocol assignments with Teredo, documentation.
        (0x2001, 0..=0x1ff | 0xdb8) | (0x3fff, 0..=0xfff) => false,
        // Of all others only 2000::/3 is given out for the internet.
        (0x2000..=0x3fff, _) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_inside_are_known_in_every_dress() {
        let inside = [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.5",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "64:ff9b:1::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ];
        for text in inside {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let outside = [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ];
        for text in outside {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn internal_hosts_are_known_as_they_are_written() {
        let hosts = InternalHosts::new(["Hooks.Corp.Example".to_owned(), "[::1]".to_owned()]);
        assert!(hosts.has("hooks.corp.example.") && hosts.has("::1") && hosts.has("[::1]"));
        assert!(!hosts.has("corp.example") && !hosts.has("127.0.0.1"));
    }
}
