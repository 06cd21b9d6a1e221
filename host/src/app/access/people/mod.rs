//! The people whose access the desk looks after: those who leave, those who come, and the company's directory, which says so.

pub mod brake;
pub mod directory;
mod follow;
pub mod offboard;
