//! Words of the subject. Nothing here does I/O, reads a clock or knows a screen.

pub mod attempt;
pub mod device;
pub mod event;
pub mod filter;
pub mod format;
pub mod instant;
pub mod measure;
pub mod page;
pub mod signature;
pub mod source;
pub mod suggest;
pub mod text;
pub mod when;
pub mod zone;
