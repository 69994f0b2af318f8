//! The subject's types and rules: events, filters, times, pages. All other rooms use them. Nothing here does I/O (the
//! zone database of `jiff` excepted), reads a clock or knows the screen.

pub mod attempt;
pub mod device;
pub mod event;
pub mod filter;
pub mod fleet;
pub mod format;
pub mod instant;
pub mod measure;
pub mod outage;
pub mod page;
pub mod signature;
pub mod source;
pub mod suggest;
pub mod survey;
pub mod text;
pub mod when;
pub mod zone;
