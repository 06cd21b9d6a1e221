//! Ports for what cannot be given a socket that listens already: other programs, and addresses at which there is to be no one.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering};

/// The first of the ports, and how many there are: below those that Linux gives to sockets that ask for any, so that no other test's
/// connection or listener takes one between its choice and its use.
const FIRST: u32 = 20_000;
const COUNT: u32 = 10_000;

/// A port at which there is no one, and that no other test is given.
///
/// # Panics
///
/// Where all are taken.
pub fn own() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    // Runs of the tests at the same time begin at places of their own.
    let begin = std::process::id().wrapping_mul(97) % COUNT;
    let next = || FIRST + (begin + GIVEN.fetch_add(1, Ordering::Relaxed)) % COUNT;
    let mut ports = (0..COUNT).map(|_| u16::try_from(next()).unwrap());
    ports.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a port is free")
}
