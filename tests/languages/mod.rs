//! Rules in every language: from an empty folder to an answer in the sandbox.

mod dataclasses;
mod typescript;
