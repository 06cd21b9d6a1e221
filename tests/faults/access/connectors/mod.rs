//! Connectors of the customer's own making: signed messages with an answer that comes later, and components in the sandbox. And
//! what connectors say of the use of access, and of what is there.

mod addresses;
mod component;
mod defaults;
mod down;
mod found;
mod gateways;
mod liars;
mod published;
mod sign_ins;
mod webhooks;
