//! The local UHub over real connections.

#![cfg(feature = "local")]
#![allow(clippy::unwrap_used, clippy::print_stdout)] // the helpers of tests are tests too

mod access;
mod control;
mod data;
mod faults;
mod load;
mod service;
mod wire;
