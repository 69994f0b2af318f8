//! The filter language as a table: each form with an example, each mistake with its message.
//!
//! Documentation, help and tests are made from this table, so that they cannot disagree.

/// One form of the language.
pub struct Form {
    /// The form, for the user.
    pub form: &'static str,
    /// What it matches.
    pub meaning: &'static str,
    /// A filter that uses it.
    pub example: &'static str,
}

/// Related forms.
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// The rules that hold for all its forms, in Markdown; may be empty.
    pub about: &'static str,
    /// In the order of the documentation.
    pub forms: &'static [Form],
}

/// An invalid filter, and its whole message.
pub struct Mistake {
    /// The filter as typed.
    pub input: &'static str,
    /// The error of [`Filter::parse`](super::Filter::parse) for it, as it is printed, character by character.
    pub message: &'static str,
}

/// A row of the table of forms.
const fn form(form: &'static str, meaning: &'static str, example: &'static str) -> Form {
    Form { form, meaning, example }
}

/// A row of the table of mistakes.
const fn mistake(input: &'static str, message: &'static str) -> Mistake {
    Mistake { input, message }
}

/// All forms, in the order of the documentation.
pub const SECTIONS: &[Section] = &[
    Section {
        title: "Terms",
        about: "A filter is a list of terms, separated by spaces. An event matches if all terms hold. \
                The empty filter matches everything.",
        forms: &[
            form("key:value", "the field has the value; keys in any case", "type:failed"),
            form("key:a,b", "any of the values", "org:acme,globex"),
            form("term term", "both must hold, also with the same key", "device:edge-* device:*-01"),
            form("-term", "the exact complement: also rows without the field", "-reason:expired"),
            form(
                "word",
                "occurs in the error or the recorded reason, in any case; inferred reasons are not searched",
                "timeout",
            ),
            form("\"a phrase\"", "the same, with spaces and anything else in it", "\"x509: certificate\""),
        ],
    },
    Section {
        title: "Values",
        about: "Values are case-sensitive, except in `error` and in free text, where the case of ASCII letters is ignored. \
                `%`, `_`, `\\`, `?` and `[` are plain characters everywhere. In quotes, `\\\"` is a quote and `\\\\` a \
                backslash, and commas, colons and stars are plain characters.",
        forms: &[
            form("x*", "begins with x", "device:edge-01*"),
            form("*x", "ends with x", "device:*.example.com"),
            form("*x*", "contains x", "org:*west*"),
            form("*", "any value", "reason:*"),
            form("-key:*", "no value is recorded", "-reason:*"),
            form("\"x\"", "x, which may contain any characters", "org:\"Globex, Inc\""),
            form("\"x\"*", "wildcards go outside of the quotes", "org:\"Globex, \"*"),
        ],
    },
    Section {
        title: "Keys with texts",
        about: "",
        forms: &[
            form(
                "type:failed",
                "failures: by the outcome that the source states, else types whose last word it is; also `success`, `start`",
                "type:failed,success",
            ),
            form("type:renewal", "types whose first word it is, in any case; also `recovery`", "type:renewal"),
            form("type:NAME", "exactly this type, by the source's own name", "type:recovery_failed"),
            form("org:NAME", "organization, by name", "org:acme"),
            form("device:NAME", "device, by name", "-device:lab-*"),
            form(
                "device:UUID",
                "by id, with or without hyphens; also org, id",
                "device:0f3a9c1e-1111-4222-8333-444455556666",
            ),
            form("device:DIGITS", "ids that begin with these 8 or more digits; also org, id", "device:0f3a9c1e"),
            form("reason:TEXT", "the reason as shown, including inferred ones", "reason:expired"),
            form("error:TEXT", "part of the error; with a wildcard, its beginning or end", "error:\"x509: cert\""),
            form("sig:ID", "the error has this signature; see signatures.md", "sig:1f3a9c0b2e,d11aa8c0f0"),
            form("-sig:*", "no error message is recorded; `sig:*` is the opposite", "-sig:*"),
            form("severity:TEXT", "the severity, if the source records it", "severity:error,critical"),
            form("id:ID", "the event with this id", "id:7d444840-9dc0-11d1-b245-5ffdce74fad2"),
        ],
    },
    Section {
        title: "Keys with times",
        about: "`since`, `until` and `time` compare the event's own time. Times without an offset are in the zone shown.",
        forms: &[
            form("since:TIME", "at or after that time", "since:24h"),
            form("until:TIME", "before that time", "until:2026-11-20"),
            form("time:A..B", "at or after A and before B", "time:yesterday..today"),
            form("time:A..", "at or after A; either side may be open", "time:2026-11-20.."),
            form("expires:<7d", "not expired yet, expires in less than 7 days; also `<=`", "expires:<7d"),
            form("expires:>30d", "expires in more than 30 days, or never; also `>=`", "expires:>30d"),
            form("expires:past", "has expired", "expires:past"),
            form("expires:none", "no expiry is recorded", "expires:none,<7d"),
            form("expires:A..B", "expires at or after A and before B", "expires:2026-12-01..2027-01-01"),
            form("extends:<=0", "the new expiry is no later than the old one", "extends:<=0"),
            form(
                "state:failing",
                "a device whose last attempt failed, gave up or stalled; see `devices`",
                "state:failing",
            ),
            form(
                "state:STATE",
                "a device in that state: `ok` `failed` `gave_up` `stalled` `in_flight` `silent` `expired` `unknown`",
                "state:silent,expired",
            ),
            form(
                "left:<7d",
                "a device with less than 7 days left, expired ones too; also `<=` `=` `>=` `>`",
                "left:<7d",
            ),
            form("left:<20%", "a device with less than that share of its certificate's life left", "left:<20%"),
            form("extends:<30d", "extended by less than that; also `<=` `=` `>=` `>` and `-1d`", "extends:>=0,<30d"),
        ],
    },
    Section {
        title: "Times",
        about: "A length always means that long ago. A range that begins at a length, `today` or `yesterday` and has no \
                end excludes rows dated more than 5 minutes ahead; `since:now` finds those. `expires` uses the new \
                expiry, or the old one if there is no new one; `extends` requires both.",
        forms: &[
            form("30s 15m 2h 3d 1w", "that long ago", "since:15m"),
            form("now", "the current time", "since:now"),
            form("today, yesterday", "midnight at the beginning of that day", "since:yesterday"),
            form("2026-11-20", "midnight of that day; the first one if it occurs twice", "since:2026-11-20"),
            form("2026-11-20 14:00", "also with `T`, with seconds, with a fraction", "since:2026-11-20 14:00"),
            form("RFC 3339", "a time with its offset", "since:2026-11-20T14:00:00+01:00"),
            form(
                "+10000-01-01T00:00:00Z",
                "years after 9999 or before 0, with a sign: ISO 8601's expanded form, since RFC 3339 has no such years",
                "expires:+10000-01-01T00:00:00Z..",
            ),
            form("infinity", "PostgreSQL's infinite time; as an expiry: never", "expires:infinity.."),
        ],
    },
];

/// Mistakes and their messages.
pub const MISTAKES: &[Mistake] = &[
    mistake("typ:failed", "filter: unknown key 'typ' at column 1; did you mean 'type'?"),
    mistake("org:acme  Devcie:x", "filter: unknown key 'Devcie' at column 11; did you mean 'device'?"),
    mistake("-before:1h", "filter: unknown key 'before' at column 2; did you mean 'until'?"),
    mistake("!type:failed", "filter: unknown key '!type' at column 1; did you mean '-type'?"),
    mistake(
        "x509: cert",
        "filter: unknown key 'x509' at column 1; to search for the text, quote it: \"x509:\"; the keys are type, org, \
         device, reason, error, sig, severity, since, until, time, expires, extends, state, left, id",
    ),
    mistake(
        "https://ca.example",
        "filter: unknown key 'https' at column 1; to search for the text, quote it: \"https://ca.example\"; the keys are \
         type, org, device, reason, error, sig, severity, since, until, time, expires, extends, state, left, id",
    ),
    mistake("type:", "filter: 'type:' has no value at column 6; give one right after the colon"),
    mistake("type: failed", "filter: 'type:' has no value at column 6; leave no space after the colon"),
    mistake(
        "org:a,",
        "filter: a value of 'org' is missing beside the comma at column 7; separate values with one comma, as in 'a,b'",
    ),
    mistake(
        "org:a,,b",
        "filter: a value of 'org' is missing beside the comma at column 7; separate values with one comma, as in 'a,b'",
    ),
    mistake(
        "org:,a",
        "filter: a value of 'org' is missing beside the comma at column 5; separate values with one comma, as in 'a,b'",
    ),
    mistake(
        "reason:\"\"",
        "filter: an empty value at column 8; rows without a value match '-reason:*', in any field that may be missing",
    ),
    mistake("-", "filter: '-' negates nothing at column 1; write it right before a term: '-type:failed'"),
    mistake("--force", "filter: '-' is doubled at column 1; to search for the text, quote it: \"--force\""),
    mistake(
        "error:\"x509",
        "filter: this quote is never closed at column 7; add a '\"'; inside quotes write '\\\"' for a quote",
    ),
    mistake("\"a\"b", "filter: text follows the closing quote at column 4; put a space between them"),
    mistake(
        "error:a\"b",
        "filter: a quote inside a word at column 8; quote the whole of it, with '\\\"' for a quote inside",
    ),
    mistake("error:“x”", "filter: '“' does not quote at column 7; use '\"'"),
    mistake(
        "device:a*b",
        "filter: '*' inside a value at column 8; put a wildcard at the beginning or end of a value; quote a star to search \
         for it",
    ),
    mistake(
        "*",
        "filter: a lone '*' is no search text at column 1; rows with an error are 'error:*', rows with a reason 'reason:*'",
    ),
    mistake(
        "type:failed OR org:acme",
        "filter: 'OR' is no operator at column 13; any of several values is 'key:a,b'; to search for the text, quote it: \"OR\"",
    ),
    mistake(
        "a AND b",
        "filter: 'AND' is no operator at column 3; all terms of a filter must hold; to search for the text, quote it: \
         \"AND\"",
    ),
    mistake(
        "NOT a",
        "filter: 'NOT' is no operator at column 1; a '-' right before a term negates it; to search for the text, quote it: \
         \"NOT\"",
    ),
    mistake(
        "type!=failed",
        "filter: 'type!=failed' has no colon after the key at column 1; write '-type:failed'; to search for the text, quote \
         it: \"type!=failed\"",
    ),
    mistake(
        "expires<7d",
        "filter: 'expires<7d' has no colon after the key at column 1; write 'expires:<7d'; to search for the text, quote it: \
         \"expires<7d\"",
    ),
    mistake(
        "type:failed sig:1f3a",
        "filter: '1f3a' is no id of a signature at column 17; it has ten hexadecimal digits, as in '1f3a9c0b2e'; 'renewscope \
         count --by error' lists them",
    ),
    mistake(
        "sig:2.1f3a9c0b2e",
        "filter: '2.1f3a9c0b2e' is an id of version 2 at column 5; signatures of two versions cannot be compared, and this \
         program makes version 1; 'renewscope count --by error' lists its ids",
    ),
    mistake(
        "sig:1f3a*",
        "filter: 'sig' takes no part of an id at column 5; rows with an error message are 'sig:*', those without one '-sig:*'",
    ),
    mistake("since:15", "filter: '15' has no unit at column 7; valid units are s, m, h, d and w, as in '15m'"),
    mistake(
        "since:3mo",
        "filter: unknown unit 'mo' in '3mo' at column 7; valid units are s, m, h, d and w, as in '15m'",
    ),
    mistake("since:-15m", "filter: '-15m' has a sign at column 7; did you mean '15m', that long ago?"),
    mistake("since:yestrday", "filter: cannot read the time 'yestrday' at column 7; did you mean 'yesterday'?"),
    mistake(
        "since:+15m",
        "filter: '+15m' is in the future at column 7; valid are '15m' (that long ago), 'today', 'yesterday', 'now', '2026-11-20', \
         '2026-11-20T14:00' and RFC 3339",
    ),
    mistake(
        "until:2026-02-30",
        "filter: no such date and time '2026-02-30' at column 7; valid are '15m' (that long ago), 'today', 'yesterday', \
         'now', '2026-11-20', '2026-11-20T14:00' and RFC 3339",
    ),
    mistake("since:1h,2h", "filter: 'since' takes one value at column 10; remove the comma and what follows it"),
    mistake("since:*", "filter: 'since' takes no wildcard at column 7; give a time such as '24h' or '2026-11-20'"),
    mistake(
        "time:today",
        "filter: 'today' is one time where a range is needed at column 6; write 'today..' for from then on, or 'today..now'",
    ),
    mistake(
        "time:1h..2h",
        "filter: the range '1h..2h' ends where it begins, or earlier at column 6; give the earlier time first",
    ),
    mistake(
        "time:..",
        "filter: '..' has no time on either side at column 6; valid are '15m' (that long ago), 'today', 'yesterday', 'now', \
         '2026-11-20', '2026-11-20T14:00' and RFC 3339",
    ),
    mistake("expires:7d", "filter: '7d' lacks a comparison at column 9; write '<7d' or '>7d'"),
    mistake(
        "expires:..7d",
        "filter: '..7d' counts back from now at column 9; lengths ahead are '<7d' and '>30d'; a range takes dates",
    ),
    mistake("expires:<-1d", "filter: '<-1d' is in the past at column 9; expired certificates are 'expires:past'"),
    mistake("expires:nine", "filter: cannot read the expiry 'nine' at column 9; did you mean 'none'?"),
    mistake(
        "expires:soon",
        "filter: cannot read the expiry 'soon' at column 9; valid are '<7d', '>30d', 'past', 'none' and ranges of dates such \
         as '2026-11-20..2026-12-01'",
    ),
    mistake(
        "expires:*",
        "filter: 'expires' takes no wildcard at column 9; rows without an expiry are 'expires:none', those with one \
         '-expires:none'",
    ),
    mistake(
        "extends:30d",
        "filter: '30d' lacks a comparison at column 9; compare with a length of time: '<=0', '<30d', '>=1d'",
    ),
    mistake(
        "extends:<x",
        "filter: 'x' is no length of time at column 9; valid units are s, m, h, d and w, as in '15m'",
    ),
    mistake(
        "extends:*",
        "filter: 'extends' takes no wildcard at column 9; compare with a length of time: 'extends:<=0'",
    ),
];

/// The documentation of the language, in Markdown.
pub fn markdown() -> String {
    let mut out = String::from(HEAD);
    for section in SECTIONS {
        out.push_str(&format!("\n## {}\n\n", section.title));
        if !section.about.is_empty() {
            out.push_str(&format!("{}\n\n", section.about));
        }
        out.push_str("| form | finds | example |\n|---|---|---|\n");
        for Form { form, meaning, example } in section.forms {
            out.push_str(&format!("| {} | {} | {} |\n", code(form), meaning.replace('|', "\\|"), code(example)));
        }
    }
    out.push_str(MISTAKES_HEAD);
    for Mistake { input, message } in MISTAKES {
        out.push_str(&format!("| {} | {} |\n", code(input), code(message)));
    }
    out
}

/// The beginning of the page.
const HEAD: &str = "# The filter language\n\n\
    <!-- Written by the test of src/domain/filter/reference.rs; run it with RENEWSCOPE_BLESS=1 after a change. -->\n\n\
    The query bar, the panes and the command line share one filter language:\n\n    \
    type:failed org:acme,globex -org:lab device:edge-01* reason:expired since:24h expires:<7d error:\"x509: cert\" timeout\n\n\
    On a command line, quote the whole filter for the shell: `renewscope list 'type:failed expires:<7d'`. Put `--` \
    before a filter that begins with `-`.\n";

/// The head of the table of mistakes.
const MISTAKES_HEAD: &str = "\n## Mistakes\n\n\
    Invalid filters are rejected with the column of the mistake, in characters from 1; a typo never matches everything.\n\n\
    | typed | message |\n|---|---|\n";

/// Text as code in a cell of a Markdown table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;
    use crate::domain::filter::{Filter, Key};

    #[test]
    fn every_example_is_read_and_printed_back() {
        for form in SECTIONS.iter().flat_map(|s| s.forms) {
            let filter = Filter::parse(form.example).unwrap_or_else(|e| panic!("{}: {e}", form.example));
            assert_eq!(Filter::parse(&filter.to_string()).as_ref(), Ok(&filter), "{filter}");
            assert!(!filter.is_empty(), "{}", form.example);
        }
    }

    #[test]
    fn every_key_has_an_example() {
        let examples: Vec<Filter> =
            SECTIONS.iter().flat_map(|s| s.forms).filter_map(|f| Filter::parse(f.example).ok()).collect();
        for key in Key::ALL {
            assert!(examples.iter().flat_map(Filter::terms).any(|t| t.key() == Some(key)), "{}", key.name());
        }
    }

    #[test]
    fn every_mistake_is_answered() {
        for Mistake { input, message } in MISTAKES {
            match Filter::parse(input) {
                Ok(filter) => panic!("'{input}' was read as '{filter}'"),
                Err(e) => assert_eq!(&e.to_string(), message),
            }
        }
    }

    /// With `RENEWSCOPE_BLESS` set it writes the file instead.
    #[test]
    fn the_documentation_is_up_to_date() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/filter-language.md");
        if std::env::var_os("RENEWSCOPE_BLESS").is_some() {
            std::fs::create_dir_all(concat!(env!("CARGO_MANIFEST_DIR"), "/docs")).unwrap();
            std::fs::write(path, markdown()).unwrap();
        }
        let file = std::fs::read_to_string(path).unwrap_or_default();
        assert!(file == markdown(), "docs/filter-language.md is out of date: run the tests with RENEWSCOPE_BLESS=1");
    }
}
