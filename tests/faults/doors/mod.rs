//! The doors: what clients may have the desk do, say, say twice and see.

mod bounds;
mod closed;
mod connections;
mod headers;
mod kept;
mod sent_again;
mod sight;
mod words;
