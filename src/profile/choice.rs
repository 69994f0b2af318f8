//! The profiles that a source may be described by, and which one is named.

use std::sync::{Arc, OnceLock};

use super::{SourceProfile, builtin};

/// The profiles to choose from.
#[derive(Clone, Debug)]
pub struct Profiles {
    /// The built-in profiles in their order, then those of the user; names are unique.
    pub all: Vec<Arc<SourceProfile>>,
    /// The one to use; `None`: our own where it fits, else the only one that does.
    pub named: Option<String>,
}

impl Default for Profiles {
    /// Those that came with the program.
    fn default() -> Self {
        static BUILT_IN: OnceLock<Vec<Arc<SourceProfile>>> = OnceLock::new();
        let all = BUILT_IN.get_or_init(|| builtin::profiles().into_iter().map(Arc::new).collect());
        Self { all: all.clone(), named: None }
    }
}
