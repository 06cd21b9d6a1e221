//! The rules directory: what is live of it, and what it means that something is not.

mod deployments;
mod doubt;
mod renamed;
mod sequences;
mod uploads;
