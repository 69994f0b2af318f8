//! What the tests share.
#![allow(dead_code)]

pub mod background;
pub mod console;
pub mod fleet;
pub mod memory;
