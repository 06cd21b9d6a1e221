//! How fast requests may come, by person and by address.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};

use crate::app::tickets::quota::{Buckets, Rate};

/// The address that a connection comes from.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// Unknown tokens that one address may show in a minute: each is looked for in the database.
const UNKNOWN_TOKENS: Rate = Rate::per_minute(120);

/// How many requests a minute may come.
#[derive(Debug, Clone, Default)]
pub struct Most {
    /// From one person.
    pub of_person: u32,
    /// From one address, before it is known who asks.
    pub of_address: u32,
    /// Proxies, whose word about their clients' addresses is taken.
    pub proxies: Vec<IpAddr>,
}

/// The requests of the last minutes.
#[derive(Clone)]
pub struct Rates(Arc<Inner>);

struct Inner {
    most: Most,
    people: Buckets,
    addresses: Buckets,
    unknown: Buckets,
}

impl Rates {
    /// No requests yet.
    pub fn new(most: Most) -> Self {
        let (people, addresses, unknown) = (Buckets::default(), Buckets::default(), Buckets::default());
        Self(Arc::new(Inner { most, people, addresses, unknown }))
    }

    /// A request of a person.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub fn person(&self, id: &str, now: Duration) -> Result<(), Duration> {
        self.0.people.take(id, Rate::per_minute(self.0.most.of_person), 1, now)
    }

    /// The bound on a person's requests and how many are left of it, as header fields of an answer
    /// (draft-ietf-httpapi-ratelimit-headers).
    pub fn left(&self, id: &str, now: Duration) -> HeaderMap {
        let most = self.0.most.of_person;
        let (left, until_all) = self.0.people.left(id, Rate::per_minute(most), now);
        let seconds = until_all.as_secs_f64().ceil() as u64;
        let fields = [
            (HeaderName::from_static("ratelimit-policy"), format!("\"person\";q={most};w=60")),
            (HeaderName::from_static("ratelimit"), format!("\"person\";r={left};t={seconds}")),
        ];
        fields.into_iter().filter_map(|(name, text)| Some((name, HeaderValue::from_str(&text).ok()?))).collect()
    }

    /// A request from an address.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub fn address(&self, from: &str, now: Duration) -> Result<(), Duration> {
        self.0.addresses.take(from, Rate::per_minute(self.0.most.of_address), 1, now)
    }

    /// Whether one more token of this address is looked for, which is not known yet.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub fn may_ask(&self, from: &str, now: Duration) -> Result<(), Duration> {
        self.0.unknown.look(from, UNKNOWN_TOKENS, 1, now)
    }

    /// A token of this address was not known.
    pub fn unknown_token(&self, from: &str, now: Duration) {
        // That there was room for it was looked at before.
        let _ = self.0.unknown.take(from, UNKNOWN_TOKENS, 1, now);
    }

    /// The address of the client, as a text that stands for all addresses which it has at will; a proxy says whose request it
    /// passes on. Nothing where a request came by no connection.
    pub fn client(&self, extensions: &Extensions, headers: &HeaderMap) -> String {
        let Some(Peer(peer)) = extensions.get::<Peer>().copied() else { return String::new() };
        let is_proxy = |address: IpAddr| self.0.most.proxies.contains(&address.to_canonical());
        if !is_proxy(peer) {
            return group(peer.to_canonical());
        }
        let forwarded = headers.get_all("x-forwarded-for").iter();
        let forwarded: Vec<Cow<'_, str>> = forwarded.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
        // The last hop is what the nearest proxy has seen itself; what stands before another's is only its word. So is what stands before
        // one that is no address.
        let parts = forwarded.iter().rev().flat_map(|text| text.rsplit(','));
        // Empty members of a list are none (RFC 9110, section 5.6.1.2).
        let mut hops = parts.filter(|part| !part.trim().is_empty()).map_while(hop);
        let from = hops.find(|hop| !is_proxy(*hop)).unwrap_or(peer);
        group(from.to_canonical())
    }
}

/// The address that a proxy gives; some add the port.
fn hop(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let plain = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    plain.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

/// One client has a whole network of addresses of version 6 (RFC 6177), so that its first half stands for them.
fn group(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_believed_about_its_clients_and_no_other() {
        let proxies = vec!["10.0.0.1".parse().unwrap()];
        let rates = Rates::new(Most { of_person: 1, of_address: 1, proxies });
        let from = |peer: &str, forwarded: &str| {
            let (mut extensions, mut headers) = (Extensions::new(), HeaderMap::new());
            extensions.insert(Peer(peer.parse().unwrap()));
            for line in forwarded.split('|') {
                headers.append("x-forwarded-for", HeaderValue::from_bytes(line.as_bytes()).unwrap());
            }
            rates.client(&extensions, &headers)
        };
        assert_eq!(from("192.0.2.7", "198.51.100.1"), "192.0.2.7");
        assert_eq!(from("10.0.0.1", "203.0.113.9, 198.51.100.1"), "198.51.100.1");
        assert_eq!(from("::ffff:10.0.0.1", "198.51.100.1, 10.0.0.1"), "198.51.100.1");
        assert_eq!(from("10.0.0.1", "nonsense"), "10.0.0.1");
        // What a client says itself stands before what the proxy adds, however the two write it.
        for forwarded in
            ["203.0.113.9, 198.51.100.1:4711", "203.0.113.9|\u{fc}, 198.51.100.1", "203.0.113.9|198.51.100.1,|, "]
        {
            assert_eq!(from("10.0.0.1", forwarded), "198.51.100.1", "{forwarded}");
        }
        assert_eq!(from("10.0.0.1", "203.0.113.9, [2001:db8:1:2::7]:4711"), "2001:db8:1:2::");
        assert_eq!(from("10.0.0.1", "203.0.113.9, _hidden"), "10.0.0.1", "no address at all");
        assert_eq!(from("2001:db8:1:2:3:4:5:6", ""), "2001:db8:1:2::");
    }
}
