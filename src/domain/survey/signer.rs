//! Signatures of many messages: the same message is masked once while it is remembered.

use std::collections::HashMap;
use std::sync::Arc;

use crate::domain::signature::{SigId, Signature};
use crate::domain::text::Text;

/// A signature, and the values that its message has at its masks.
#[derive(Debug)]
pub(super) struct Signed {
    /// `None`: there is no message, or nothing but white space.
    pub(super) sig: Option<SigId>,
    /// The masked message.
    pub(super) text: String,
    /// One for each mask, cut to [`VALUE`] characters.
    pub(super) values: Vec<Text>,
}

/// Masks messages and remembers the last ones.
#[derive(Clone, Debug, Default)]
pub(super) struct Signer {
    /// By message. The younger half takes new ones and becomes the older half once it is full.
    halves: [HashMap<Text, Arc<Signed>>; 2],
    /// Bytes of the messages of the younger half.
    bytes: usize,
}

/// Messages of one half.
const MESSAGES: usize = 2_048;
/// Bytes of the messages of one half.
const BYTES: usize = 2 << 20;
/// Characters of a value that are kept.
const VALUE: usize = 100;

impl Signer {
    /// The signature of a message.
    pub(super) fn sign(&mut self, message: &Text) -> Arc<Signed> {
        if let Some(known) = self.halves[0].get(message) {
            return Arc::clone(known);
        }
        let signed = self.halves[1].remove(message).unwrap_or_else(|| Arc::new(signed(message.raw())));
        if self.halves[0].len() >= MESSAGES || self.bytes >= BYTES {
            self.halves.swap(0, 1);
            self.halves[0].clear();
            self.bytes = 0;
        }
        self.bytes += message.raw().len();
        self.halves[0].insert(message.clone(), Arc::clone(&signed));
        signed
    }
}

/// Masks a message.
fn signed(message: &str) -> Signed {
    let (Signature { id, text }, values) = Signature::with_values(message);
    let cut = |value: &&str| Text::from(value.char_indices().nth(VALUE).map_or(*value, |(end, _)| &value[..end]));
    Signed { sig: (!text.is_empty()).then_some(id), text, values: values.masks.iter().map(cut).collect() }
}
