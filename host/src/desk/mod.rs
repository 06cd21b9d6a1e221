//! The domain: what a service desk is, without a clock, a database, a network or a rule engine.
//!
//! Commands come in, a change or a [`refusal::Refusal`] goes out. Everything here is a pure function of its arguments,
//! so that every timer and every race can be tested in microseconds. It imports nothing of ours.
//!
//! In reading order: [`organisation`] is who works here and what can be asked for; [`ticket`] the life of a ticket, with the open time of
//! [`sla`]; [`access`] what was asked, approved, granted and ended; [`verdict`] several rules' answers made into one; [`permission`]
//! who may do what; [`change`] all that one transaction writes.

/// Gives an enum `ALL`, `code` and `from_code` from one list of its variants with the stable words by which programs, rows and
/// configurations name them. A list that misses a variant does not compile, and the compiler warns of a word that is there twice.
macro_rules! codes {
    ($name:ident { $($variant:ident => $code:literal),+ $(,)? }) => {
        impl $name {
            /// Every variant, in the order of the list.
            pub const ALL: [$name; [$($code),+].len()] = [$($name::$variant),+];

            /// The stable word for programs.
            pub const fn code(self) -> &'static str {
                match self {
                    $($name::$variant => $code),+
                }
            }

            /// The variant with this word.
            pub fn from_code(code: &str) -> Option<$name> {
                match code {
                    $($code => Some($name::$variant),)+
                    _ => None,
                }
            }
        }
    };
}
pub(crate) use codes;

pub mod id;
pub mod organisation;
pub mod permission;
pub mod verdict;

pub mod actor;
pub mod change;
pub mod refusal;

pub mod sla;
pub mod text;
pub mod ticket;

pub mod access;
