//! The doors: what clients may have the desk do, say, say twice and see.

mod bounds;
mod connections;
mod headers;
mod sent_again;
mod sight;
mod words;
