//! The arguments of the commands that investigate a range: `errors` and `attempts`.

use clap::{Args, ValueEnum};

use super::{Condition, FILTER_HELP};

/// The arguments of `errors`.
#[derive(Args, Debug)]
pub struct Errors {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// Exit with 1 if a number is not exact
    #[arg(long)]
    pub exact: bool,
    /// Exit with 5 if the number of signatures with which a device still fails matches, for example '>0'
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Option<Condition>,
}

/// The arguments of `attempts`.
#[derive(Args, Debug)]
pub struct Attempts {
    #[arg(value_name = "FILTER", help = FILTER_HELP)]
    pub filter: Vec<String>,
    /// Print only the attempts in these states
    #[arg(long, value_name = "STATE", value_delimiter = ',')]
    pub state: Vec<AttemptState>,
    /// Exit with 1 if an attempt or a number is not exact
    #[arg(long)]
    pub exact: bool,
    /// Exit with 5 if the number of attempts matches, for example '>0', '>=10', '=0'
    #[arg(long, value_name = "CONDITION")]
    pub fail_if: Option<Condition>,
}

/// The states of attempts that `attempts --state` selects.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub enum AttemptState {
    /// With a success
    Succeeded,
    /// With a failure and no success
    Failed,
    /// Without an outcome, and young
    Flight,
    /// Without an outcome, for long
    Stalled,
    /// Without an outcome before the next start
    Superseded,
    /// An outcome without a start
    Orphan,
}
