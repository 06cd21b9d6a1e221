//! Laws of the domain that more than one of its files has to keep.

mod access;
mod combine;
mod directory;
mod edit;
mod holdings;
mod hours;
mod looser;
mod opening;
mod promises;
mod reviews;
mod words;
