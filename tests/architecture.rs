//! The rules of the house that a compiler does not hold: layers, the one home of each foreign thing, sizes, words, and
//! pages that are made from tables.
//!
//! A rule is a function from sources to breaches, so that each is tried on a planted breach below. `docs/architecture.md`
//! and `src/lib.rs` point at the tables here and do not repeat them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;

/// Each layer, what it does, and what it may name of the others. A new line, or a new name in a line, is a commit with
/// its reason.
const LAYERS: [(&str, &str, &[&str]); 15] = [
    ("files", "opens files that users and other programs can have replaced, without waiting", &[]),
    ("domain", "the subject: instants, safe text, events, the filter; no I/O, no clock, no screen", &[]),
    ("protocol", "what crosses the channel between screen and tasks: queries, answers, tickets, errors", &["domain"]),
    ("profile", "tables that other systems made, described in TOML", &["domain"]),
    ("demo", "a simulated fleet, pure and seeded", &["domain"]),
    ("store", "the databases; the only layer that knows a driver", &["files", "domain", "profile", "protocol"]),
    ("worker", "background tasks: one per query in flight, one for the tail", &["domain", "protocol"]),
    ("ui", "the kit that every view is made of", &["domain", "protocol"]),
    ("views", "one folder per view: state, keys, queries, drawing", &["domain", "protocol", "ui"]),
    ("console", "the shell as a pure state machine; knows no view's inside", &["domain", "protocol", "ui", "views"]),
    (
        "config",
        "command line, environment and file, merged into settings",
        &["files", "domain", "profile", "protocol", "store", "ui", "views", "console"],
    ),
    (
        "runtime",
        "event loop, terminal, clock, signals, files of the console",
        &["files", "domain", "protocol", "worker", "ui", "views", "console"],
    ),
    ("logging", "the log file", &["files", "config"]),
    (
        "headless",
        "the commands; errors become text and exit codes",
        &[
            "files", "domain", "profile", "protocol", "demo", "store", "worker", "ui", "views", "console", "config",
            "runtime", "logging",
        ],
    ),
    ("main", "the program", &["headless"]),
];

/// A word of the code, and the places that may say it.
const HOMES: [(&str, &[&str]); 12] = [
    ("sqlx::", &["src/store/connect/", "src/store/sql/"]),
    ("AssertSqlSafe", &["src/store/sql/mod.rs"]),
    ("Utc::now", &["src/runtime/clock.rs"]),
    ("Local::now", &[]),
    ("SystemTime::now", &[]),
    ("tokio::spawn", &["src/worker/", "src/headless/", "src/runtime/", "src/store/"]),
    ("crossterm::terminal", &["src/runtime/"]),
    ("std::fs", &["src/runtime/", "src/headless/", "src/config/", "src/logging.rs", "src/store/", "src/files.rs"]),
    ("println!", &["src/headless/", "src/main.rs"]),
    ("ratatui::widgets", &["/draw/", "/draw.rs", "src/ui/paint.rs", "src/ui/skin.rs", "src/ui/table.rs"]),
    ("ratatui::Frame", &["/draw/", "/draw.rs", "src/ui/paint.rs", "src/ui/skin.rs", "src/ui/table.rs", "src/runtime/"]),
    ("unsafe {", &[]),
];

const FILE_LINES: usize = 400;
const FUNCTION_LINES: usize = 60;
const ARGUMENTS: usize = 4;
const FIELDS: usize = 16;
/// The shell's model: everything that is not a view's own.
const MODEL_FIELDS: usize = 12;
/// Percent of the lines in `src` that document an item or a module.
const DOC_LINES: std::ops::RangeInclusive<usize> = 12..=18;

/// A file below the root of the repository, by its path with forward slashes.
struct Source {
    path: String,
    text: String,
}

impl Source {
    /// Its lines without the tests at its end.
    fn code(&self) -> &str {
        if self.path.ends_with("/tests.rs") {
            return "";
        }
        let end = self.text.find("\n#[cfg(test)]").map_or(self.text.len(), |at| at + 1);
        self.text.get(..end).unwrap_or_default()
    }
    /// Lines of code without comments, numbered from 1.
    fn statements(&self) -> impl Iterator<Item = (usize, &str)> {
        self.code().lines().enumerate().map(|(n, l)| (n + 1, l)).filter(|(_, l)| !l.trim_start().starts_with("//"))
    }
    /// The layer, `views/NAME` for one view.
    fn layer(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split('/').next().unwrap_or_default().trim_end_matches(".rs")
    }
    fn view(&self) -> Option<&str> {
        self.path.strip_prefix("src/views/").and_then(|rest| rest.split_once('/')).map(|(view, _)| view)
    }
    fn at(&self, line: usize, why: &str) -> String {
        format!("{}:{line}: {why}", self.path)
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn files(folder: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    let mut open = vec![root().join(folder)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == ending) {
                let name = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path: name, text: fs::read_to_string(&path).unwrap() });
            }
        }
    }
    assert!(!found.is_empty(), "{folder} has files");
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The names that follow `crate::` in a line: each path's first and second part.
fn named(line: &str) -> Vec<(String, Option<String>)> {
    let part = |text: &str| text.chars().take_while(|c| is_word(*c)).collect::<String>();
    let path = |(at, _): (usize, &str)| {
        let rest = line.get(at + "crate::".len()..).unwrap_or_default();
        let first = part(rest);
        let second = rest.get(first.len()..).and_then(|r| r.strip_prefix("::")).map(part).filter(|s| !s.is_empty());
        (first, second)
    };
    line.match_indices("crate::").map(path).collect()
}

// The rules.

fn layers(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources.iter().filter(|s| s.layer() != "lib") {
        let Some((here, _, allowed)) = LAYERS.iter().find(|(name, ..)| *name == source.layer()) else {
            breaches.push(source.at(1, "no such layer"));
            continue;
        };
        for (line, text) in source.statements() {
            for (first, _) in named(text) {
                let is_layer = LAYERS.iter().any(|(name, ..)| *name == first);
                if is_layer && first != *here && !allowed.contains(&first.as_str()) {
                    breaches.push(source.at(line, &format!("names crate::{first}")));
                }
            }
        }
    }
    breaches
}

fn homes(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for (word, homes) in HOMES {
        for source in sources.iter().filter(|s| !homes.iter().any(|h| s.path.contains(h))) {
            let says = source.statements().filter(|(_, text)| text.contains(word));
            breaches.extend(says.map(|(line, _)| source.at(line, &format!("says {word}"))));
        }
    }
    breaches
}

/// A view names no other view and not the model; the shell, and every layer above it, names a view by `View` only.
fn views(sources: &[Source]) -> Vec<String> {
    let known: Vec<&str> = sources.iter().filter_map(Source::view).collect();
    let mut breaches = Vec::new();
    for source in sources {
        for (line, text) in source.statements() {
            for (first, second) in named(text) {
                let other = second.filter(|v| first == "views" && known.contains(&v.as_str()));
                let other = other.filter(|v| source.view() != Some(v) && matches!(source.layer(), "views" | "console"));
                if let Some(other) = other.filter(|_| source.path != "src/views/mod.rs") {
                    breaches.push(source.at(line, &format!("names the view {other}")));
                }
            }
            let says_model = text.split(|c| !is_word(c)).any(|word| word == "Model");
            if source.layer() == "views" && says_model {
                breaches.push(source.at(line, "names Model"));
            }
        }
    }
    breaches
}

fn long_files(sources: &[Source]) -> Vec<String> {
    let lines = |s: &Source| s.code().lines().count();
    sources.iter().filter(|s| lines(s) > FILE_LINES).map(|s| s.at(lines(s), "too long a file")).collect()
}

/// Where a function begins: its line, the name, and the text from its parameters on.
fn functions(source: &Source) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    let mut offset = 0;
    for (number, line) in source.code().lines().enumerate() {
        let words = line.trim_start();
        let is_code = !words.starts_with("//") && !words.starts_with('"');
        let head = ["fn ", "pub fn ", "async fn ", "const fn ", "pub async fn ", "pub const fn "];
        let words = words.split_once(") ").filter(|(v, _)| v.starts_with("pub(")).map_or(words, |(_, rest)| rest);
        if is_code && head.iter().any(|h| words.starts_with(h)) {
            let at = line.find("fn ").unwrap_or(0) + 3;
            let name: String = line.get(at..).unwrap_or_default().chars().take_while(|c| is_word(*c)).collect();
            found.push((number + 1, name.clone(), offset + at + name.len()));
        }
        offset += line.len() + 1;
    }
    found
}

fn long_functions(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let lines: Vec<&str> = source.code().lines().collect();
        for (begin, name, _) in functions(source) {
            let head = lines.get(begin - 1).copied().unwrap_or_default();
            let close = format!("{}}}", " ".repeat(head.len() - head.trim_start().len()));
            let ended = head.ends_with('}') || head.ends_with(';');
            let length = lines.iter().skip(begin - 1).position(|l| *l == close).unwrap_or(0) + 1;
            if !ended && length > FUNCTION_LINES {
                breaches.push(source.at(begin, &format!("fn {name} has {length} lines")));
            }
        }
    }
    breaches
}

/// The parameters of the function whose name ends at `offset`, split at the commas of the outer level.
fn parameters(code: &str, offset: usize) -> Vec<String> {
    let rest = code.get(offset..).unwrap_or_default();
    let (mut depth, mut all, mut one, mut before) = (0_i32, Vec::new(), String::new(), ' ');
    for c in rest.chars().skip_while({
        // What is generic stands between the name and its parameters.
        let (mut generic, mut before) = (0_i32, ' ');
        move |c: &char| {
            match c {
                '<' => generic += 1,
                '>' if before != '-' => generic -= 1,
                '(' if generic == 0 => return false,
                _ => {}
            }
            before = *c;
            true
        }
    }) {
        let arrow = c == '>' && matches!(before, '-' | '=');
        before = c;
        match c {
            ')' if depth == 1 => break,
            ',' if depth == 1 => {
                all.push(std::mem::take(&mut one));
                continue;
            }
            '(' | '[' | '{' | '<' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            '>' if !arrow => depth -= 1,
            _ => {}
        }
        if depth > 1 || c != '(' {
            one.push(c);
        }
    }
    all.push(one);
    all.iter().map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

fn many_arguments(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        for (line, name, offset) in functions(source) {
            let all = parameters(source.code(), offset);
            let is_self = |p: &String| matches!(p.as_str(), "self" | "&self" | "&mut self" | "mut self");
            let count = all.iter().filter(|p| !is_self(p)).count();
            if count > ARGUMENTS {
                breaches.push(source.at(line, &format!("fn {name} has {count} arguments")));
            }
            if all.iter().any(|p| p.starts_with('(') && p.contains("): (")) {
                breaches.push(source.at(line, &format!("fn {name} hides arguments in a tuple")));
            }
        }
    }
    breaches
}

fn wide_structs(sources: &[Source]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let mut open: Option<(usize, String, String, usize)> = None;
        for (line, text) in source.statements() {
            let indent = text.len() - text.trim_start().len();
            if let Some((begin, name, close, fields)) = &mut open {
                if text == close {
                    let limit = if name == "Model" { MODEL_FIELDS } else { FIELDS };
                    if *fields > limit {
                        breaches.push(source.at(*begin, &format!("struct {name} has {fields} fields")));
                    }
                    open = None;
                } else if indent == close.len() + 3 && text.contains(": ") {
                    *fields += 1;
                }
                continue;
            }
            if text.contains("struct ") && text.trim_end().ends_with('{') {
                let name = text.split("struct ").nth(1).unwrap_or_default();
                let name: String = name.chars().take_while(|c| is_word(*c)).collect();
                open = Some((line, name, format!("{}}}", " ".repeat(indent)), 0));
            }
        }
    }
    breaches
}

fn undocumented_modules(sources: &[Source]) -> Vec<String> {
    sources.iter().filter(|s| !s.text.starts_with("//!")).map(|s| s.at(1, "says not what it is for")).collect()
}

/// The words that [`banned`] finds: one a line, before ` -> ` and what to write instead; `#` begins a comment.
fn banned_words() -> Vec<String> {
    let list = fs::read_to_string(root().join("tests/banned-words.txt")).unwrap();
    let words = list.lines().map(|l| l.split('#').next().unwrap_or_default().split(" -> ").next().unwrap_or_default());
    words.map(|w| w.trim().to_lowercase()).filter(|w| !w.is_empty()).collect()
}

/// Finds words beside which no letter, digit or `_` stands, in any case; a phrase may go on behind the end of a line.
fn banned(sources: &[Source], words: &[String]) -> Vec<String> {
    let mut breaches = Vec::new();
    for source in sources {
        let (mut text, mut begins) = (String::new(), Vec::new());
        for line in source.text.lines() {
            begins.push(text.len());
            let markers = |c: char| c.is_whitespace() || matches!(c, '/' | '!' | '#' | '>');
            text.push_str(line.trim_start_matches(markers).trim_end());
            text.push(' ');
        }
        let text = text.to_ascii_lowercase();
        for word in words {
            for (at, _) in text.match_indices(word.as_str()) {
                let before = text.get(..at).and_then(|l| l.chars().next_back());
                let after = text.get(at + word.len()..).and_then(|l| l.chars().next());
                if !before.is_some_and(is_word) && !after.is_some_and(is_word) {
                    let line = begins.partition_point(|begin| *begin <= at);
                    breaches.push(source.at(line, &format!("says '{word}'")));
                }
            }
        }
    }
    breaches
}

// Held on the sources.

fn hold(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

#[test]
fn no_layer_names_one_that_it_must_not() {
    hold(&layers(&files("src", "rs")));
}

#[test]
fn each_foreign_thing_has_one_home() {
    hold(&homes(&files("src", "rs")));
}

#[test]
fn views_know_neither_each_other_nor_the_shell() {
    hold(&views(&files("src", "rs")));
}

#[test]
fn no_file_is_too_long_to_read() {
    hold(&long_files(&files("src", "rs")));
}

#[test]
fn no_function_is_too_long_to_read() {
    hold(&long_functions(&files("src", "rs")));
}

#[test]
fn no_function_takes_too_many_arguments() {
    hold(&many_arguments(&files("src", "rs")));
}

#[test]
fn no_struct_has_too_many_fields() {
    hold(&wide_structs(&files("src", "rs")));
}

#[test]
fn every_module_says_what_it_is_for() {
    hold(&undocumented_modules(&files("src", "rs")));
}

#[test]
fn documentation_is_neither_missing_nor_in_the_way() {
    let sources = files("src", "rs");
    let lines = || sources.iter().flat_map(|s| s.code().lines().map(str::trim_start));
    let docs = lines().filter(|l| l.starts_with("///") || l.starts_with("//!")).count();
    let share = docs * 100 / lines().count();
    assert!(DOC_LINES.contains(&share), "{share} % of the lines are documentation");
}

#[test]
fn the_words_are_those_that_a_reader_knows() {
    let mut sources = files("docs", "md");
    for folder in ["src", "tests", "benches", "examples"] {
        sources.extend(files(folder, "rs"));
    }
    for page in ["README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"] {
        sources.push(Source { path: page.to_owned(), text: fs::read_to_string(root().join(page)).unwrap() });
    }
    hold(&banned(&sources, &banned_words()));
}

#[test]
fn the_keys_page_is_made_from_the_table() {
    let path = root().join("docs/keys.md");
    let page = renewscope::ui::action::keys_page();
    if std::env::var_os("RENEWSCOPE_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), page, "run the tests once with RENEWSCOPE_BLESS=1");
}

// Each rule on a planted breach, and on what lies just within it.

fn planted(path: &str, text: &str) -> [Source; 1] {
    [Source { path: path.to_owned(), text: text.to_owned() }]
}

#[test]
fn a_layer_that_names_another_is_found() {
    let text = "//! x\nuse crate::store::Store;\n// crate::runtime\n#[cfg(test)]\nmod tests { use crate::demo; }\n";
    assert_eq!(layers(&planted("src/domain/x.rs", text)), ["src/domain/x.rs:2: names crate::store"]);
    assert!(layers(&planted("src/headless/x.rs", text)).is_empty());
    assert_eq!(layers(&planted("src/attic/x.rs", text)), ["src/attic/x.rs:1: no such layer"]);
}

#[test]
fn a_foreign_thing_away_from_home_is_found() {
    for (word, homes_of) in HOMES {
        let text = format!("//! x\nfn f() {{\n    {word}\n}}\n");
        let expected = format!("src/demo/x.rs:3: says {word}");
        assert!(homes(&planted("src/demo/x.rs", &text)).contains(&expected), "{word}");
        for home in homes_of {
            let inside = if home.ends_with(".rs") { format!("src/{home}") } else { format!("src{home}/x.rs") };
            let inside = inside.replace("src/src/", "src/").replace("srcsrc/", "src/").replace("//", "/");
            let said = homes(&planted(&inside, &text));
            assert!(!said.iter().any(|b| b.ends_with(&format!("says {word}"))), "{word} in {inside}: {said:?}");
        }
    }
}

#[test]
fn a_view_that_looks_beside_itself_is_found() {
    let two = |text: &str, path: &str| {
        let both = ["src/views/events/mod.rs", "src/views/errors/mod.rs"]
            .map(|p| Source { path: p.into(), text: String::new() });
        let mut both = Vec::from(both);
        both.extend(planted(path, text));
        views(&both)
    };
    let other = "use crate::views::errors::Errors;\n";
    assert_eq!(two(other, "src/views/events/keys.rs"), ["src/views/events/keys.rs:1: names the view errors"]);
    assert_eq!(two(other, "src/console/keys.rs"), ["src/console/keys.rs:1: names the view errors"]);
    assert!(two(other, "src/views/errors/draw.rs").is_empty());
    assert!(two(other, "src/views/mod.rs").is_empty());
    assert_eq!(two("fn f(m: &Model) {}\n", "src/views/events/x.rs"), ["src/views/events/x.rs:1: names Model"]);
    assert!(two("fn f(m: &Models) {}\n", "src/views/events/x.rs").is_empty());
}

#[test]
fn what_is_too_long_is_found() {
    let body = |n: usize| format!("fn f() {{\n{}}}\n", "    g();\n".repeat(n));
    assert_eq!(long_functions(&planted("src/a.rs", &body(59))), ["src/a.rs:1: fn f has 61 lines"]);
    assert!(long_functions(&planted("src/a.rs", &body(58))).is_empty());
    let inner = format!("impl A {{\n    pub(crate) async fn g(&self) {{\n{}    }}\n}}\n", "        g();\n".repeat(59));
    assert_eq!(long_functions(&planted("src/a.rs", &inner)), ["src/a.rs:2: fn g has 61 lines"]);
    assert_eq!(long_files(&planted("src/a.rs", &"x\n".repeat(401))), ["src/a.rs:401: too long a file"]);
    assert!(long_files(&planted("src/a.rs", &"x\n".repeat(400))).is_empty());
    let tests = format!("{}\n#[cfg(test)]\n{}", "x\n".repeat(400), "x\n".repeat(400));
    assert!(long_files(&planted("src/a.rs", &tests)).len() <= 1);
}

#[test]
fn arguments_too_many_or_hidden_are_found() {
    let found = |text: &str| many_arguments(&planted("src/a.rs", text));
    assert!(found("fn f(a: A, b: Fn(X, Y) -> Z, c: HashMap<K, V>, d: [u8; 4]) {\n}\n").is_empty());
    assert_eq!(found("fn f(a: A, b: B, c: C, d: D, e: E) {\n}\n"), ["src/a.rs:1: fn f has 5 arguments"]);
    assert!(found("    fn f(&mut self, a: A, b: B, c: C, d: D) {\n    }\n").is_empty());
    assert_eq!(
        found("fn f<T: Fn(A, B)>(\n    a: A,\n    (b, c): (B, C),\n) {\n}\n"),
        ["src/a.rs:1: fn f hides arguments in a tuple"]
    );
    assert_eq!(found("fn f((b, c): (B, C)) {\n}\n"), ["src/a.rs:1: fn f hides arguments in a tuple"]);
    assert!(found("fn f(a: (B, C)) {\n}\n").is_empty());
}

#[test]
fn a_wide_struct_is_found() {
    let text = |name: &str, n: usize| {
        let fields: String = (0..n).map(|i| format!("    /// A doc: x\n    pub f{i}: u8,\n")).collect();
        format!("pub struct {name} {{\n{fields}}}\n")
    };
    assert_eq!(wide_structs(&planted("src/a.rs", &text("A", 17))), ["src/a.rs:1: struct A has 17 fields"]);
    assert!(wide_structs(&planted("src/a.rs", &text("A", 16))).is_empty());
    assert_eq!(wide_structs(&planted("src/a.rs", &text("Model", 13))), ["src/a.rs:1: struct Model has 13 fields"]);
}

#[test]
fn a_module_without_a_word_and_a_banned_word_are_found() {
    assert_eq!(undocumented_modules(&planted("src/a.rs", "use x;\n")), ["src/a.rs:1: says not what it is for"]);
    let words = ["gruff".to_owned(), "at dusk".to_owned()];
    let text = "//! It was Gruff.\n/// scruff, ungruff; gruffest\nfn gruff_again() {}\n// what is at\n/// dusk.\n";
    let found = ["src/a.rs:1: says 'gruff'", "src/a.rs:4: says 'at dusk'"];
    assert_eq!(banned(&planted("src/a.rs", text), &words), found);
}
