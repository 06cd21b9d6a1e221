//! Connectors of the customer's own making: signed messages with an answer that comes later, and components in the sandbox.

mod component;
mod webhooks;
