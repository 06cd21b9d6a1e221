//! The database under load and faults: clients that hang up, hosts that stand still, a server that goes away, a server in
//! between, a log that grows, and files that others must not read.

mod bouncer;
mod descriptors;
mod hang_up;
mod log;
mod lost;
mod outage;
mod private;
mod proxy;
mod server;
mod waits;
