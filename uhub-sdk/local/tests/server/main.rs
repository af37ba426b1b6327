//! The local server over real connections.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // the helpers of tests are tests too

mod access;
#[cfg(all(unix, feature = "cli"))] // signals
mod cli;
mod control;
mod data;
mod faults;
mod hostile;
mod load;
mod service;
mod wire;
