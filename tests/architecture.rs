//! The rules of the house that a compiler does not hold: layers, the one clock, the one place for SQL, sizes, and
//! pages that are made from tables.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Each layer, and what it may name of the others.
const LAYERS: [(&str, &[&str]); 13] = [
    ("files", &[]),
    ("domain", &[]),
    ("protocol", &["domain"]),
    ("profile", &["domain"]),
    ("demo", &["domain"]),
    ("store", &["files", "domain", "profile", "protocol"]),
    ("worker", &["domain", "protocol"]),
    ("app", &["domain", "protocol"]),
    ("ui", &["domain", "protocol", "app"]),
    ("config", &["files", "domain", "profile", "protocol", "store", "app", "ui"]),
    (
        "headless",
        &[
            "files", "domain", "profile", "protocol", "demo", "store", "worker", "app", "ui", "config", "runtime",
            "logging",
        ],
    ),
    ("runtime", &["files", "domain", "protocol", "worker", "app", "ui"]),
    ("logging", &["files", "config"]),
];
const LINES: usize = 400;

fn sources(root: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(root)];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                found.push((path, text));
            }
        }
    }
    assert!(!found.is_empty());
    found
}

/// A file's code without its tests and comments.
fn code(text: &str) -> String {
    let end = text.find("#[cfg(test)]\nmod tests").or(text.find("#[cfg(test)]\n#[allow")).unwrap_or(text.len());
    text[..end].lines().filter(|l| !l.trim_start().starts_with("//")).map(|l| format!("{l}\n")).collect()
}

fn layer(path: &Path) -> String {
    let inside = path.strip_prefix(Path::new(env!("CARGO_MANIFEST_DIR")).join("src")).unwrap();
    let first = inside.iter().next().unwrap().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

#[test]
fn no_layer_names_one_above_it() {
    for (path, text) in sources("src") {
        let here = layer(&path);
        if here == "main" || here == "lib" {
            continue;
        }
        let (_, allowed) =
            LAYERS.iter().find(|(name, _)| *name == here).unwrap_or_else(|| panic!("{here}: no such layer"));
        for (at, _) in code(&text).match_indices("crate::") {
            let rest = code(&text)[at + 7..].to_owned();
            let named: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let is_layer = LAYERS.iter().any(|(name, _)| *name == named);
            let fine = !is_layer || named == here || allowed.contains(&named.as_str());
            // The clock is read in one place; the command line may read it there.
            assert!(fine, "{} names crate::{named}", path.display());
        }
    }
}

#[test]
fn each_foreign_thing_has_one_home() {
    for (word, homes) in [
        ("sqlx", &["src/store/"][..]),
        ("AssertSqlSafe", &["src/store/sql/mod.rs"]),
        ("Utc::now", &["src/runtime/clock.rs"]),
        ("Local::now", &[]),
        ("SystemTime::now", &[]),
        ("tokio::spawn", &["src/worker/", "src/headless/", "src/runtime/", "src/store/"]),
        ("crossterm::terminal", &["src/runtime/"]),
        ("std::fs", &["src/runtime/", "src/headless/", "src/config/", "src/logging.rs", "src/store/", "src/files.rs"]),
        ("println!", &["src/headless/", "src/main.rs"]),
    ] {
        for (path, text) in sources("src") {
            let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().to_str().unwrap().to_owned();
            let home = homes.iter().any(|h| name.starts_with(h));
            assert!(home || !code(&text).contains(word), "{name} says {word}");
        }
    }
}

#[test]
fn no_file_is_too_long_to_read() {
    for (path, text) in sources("src") {
        let end = text.find("#[cfg(test)]").unwrap_or(text.len());
        let lines = text[..end].lines().count();
        assert!(lines <= LINES, "{}: {lines} lines", path.display());
    }
}

#[test]
fn the_keys_page_is_made_from_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let page = renewscope::app::action::keys_page();
    if std::env::var_os("RENEWSCOPE_BLESS").is_some() {
        fs::write(&path, &page).unwrap();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), page, "run the tests once with RENEWSCOPE_BLESS=1");
}
