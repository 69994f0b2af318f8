//! The kit that every view is made of: context, fetched values, viewports, tables, actions, effects, painting.
//!
//! It names no view and not the shell. Only `paint`, `skin` and `table` name styles and buffers of the screen library.

pub mod action;
pub mod attempt;
pub mod ctx;
pub mod device;
pub mod effect;
pub mod fetch;
pub mod grid;
pub mod input;
pub mod known;
pub mod needles;
pub mod paint;
pub mod reach;
pub mod skin;
pub mod table;
pub mod viewport;
