//! Messages to people: who gets which, and that none is lost through what the relay does.

mod endpoints;
mod events;
mod killed;
mod mail_in;
mod people;
mod relay;
mod webhooks;
mod words;
