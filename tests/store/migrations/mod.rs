//! Databases of earlier schemas: they are brought up to date with all that is in them, and what they hold reads as it did.

mod convert;
mod parts;
mod raw;
mod schemas;
