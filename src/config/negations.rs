//! Negated filter terms on the command line: `-org:lab` looks like options to the parser.
//!
//! `headless/mod.rs` rearranges the arguments with it before they are parsed. It must not change the value of an option.

use std::ffi::OsString;

use clap::CommandFactory;

use super::cli::Cli;

/// The name of the subcommand. The value of an option before it is none, though a database can be called `demo`.
fn command_name(args: &[OsString]) -> Option<String> {
    let root = Cli::command();
    let takes_value = |arg: &OsString| {
        let long = arg.to_str().and_then(|a| a.strip_prefix("--"));
        long.is_some_and(|long| {
            root.get_arguments().any(|a| a.get_long() == Some(long) && a.get_action().takes_values())
        })
    };
    let mut words = args.iter().skip(1);
    while let Some(arg) = words.next() {
        if takes_value(arg) {
            words.next();
        } else if arg == "help" || root.get_subcommands().any(|c| arg == c.get_name()) {
            return arg.to_str().map(str::to_owned);
        }
    }
    None
}

/// Whether the command takes filter terms.
fn takes_filter(name: &str) -> bool {
    let root = Cli::command();
    root.find_subcommand(name).is_some_and(|command| command.get_positionals().any(|arg| arg.get_id() == "filter"))
}

/// Moves negated filter terms such as `-org:lab`, which the parser would read as options, behind a `--`. The order of
/// filter terms has no meaning. Commands without a filter are not changed.
pub fn lift_negations(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut args: Vec<OsString> = args.into_iter().collect();
    if command_name(&args).is_some_and(|name| !takes_filter(&name)) {
        return args;
    }
    let end = args.iter().position(|a| a == "--").unwrap_or(args.len());
    let rest = args.split_off(end);
    let (negations, mut kept): (Vec<_>, Vec<_>) = args.into_iter().partition(is_negation);
    if negations.is_empty() && rest.is_empty() {
        return kept;
    }
    kept.push("--".into());
    kept.extend(negations);
    kept.extend(rest.into_iter().skip(1));
    kept
}

/// Whether the argument has the form `-key:…`. The key has at least two letters, to exclude the value of a short option.
fn is_negation(arg: &OsString) -> bool {
    let key = arg.to_str().and_then(|a| a.strip_prefix('-')).and_then(|a| a.split_once(':')).map(|(key, _)| key);
    key.is_some_and(|k| k.len() >= 2 && k.bytes().all(|b| b.is_ascii_alphabetic()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::config::cli::Command;
    use clap::Parser;

    #[test]
    fn negated_words_are_filter_words() {
        for (typed, words) in [
            ("-org:lab", vec!["-org:lab"]),
            ("type:failed -org:lab --ascii", vec!["type:failed", "-org:lab"]),
            ("-org:lab -- -free", vec!["-org:lab", "-free"]),
            ("plain list", vec!["plain", "list"]),
        ] {
            let args = std::iter::once("renewscope").chain(typed.split(' ')).map(OsString::from);
            let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
            assert_eq!(cli.filter, words, "{typed}");
        }
        let args = ["renewscope", "--limit", "3", "export", "-o", "x.csv", "-device:lab-*"].map(OsString::from);
        let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
        assert!(matches!(cli.command, Some(Command::Export(e)) if e.filter == ["-device:lab-*"]));
        assert_eq!(cli.global.limit, Some(3));
        let args = ["renewscope", "record", "--device", "a", "--type", "b", "--error", "-on: x"].map(OsString::from);
        let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
        assert!(matches!(cli.command, Some(Command::Record(r)) if r.error.as_deref() == Some("-on: x")));
    }

    #[test]
    fn a_database_can_have_the_name_of_a_command() {
        for (typed, db) in [("--db demo list -org:lab", "demo"), ("--db record -org:lab", "record")] {
            let args = std::iter::once("renewscope").chain(typed.split(' ')).map(OsString::from);
            let cli = Cli::try_parse_from(lift_negations(args)).unwrap();
            assert_eq!(cli.global.db.as_deref(), Some(db));
            let filter = match &cli.command {
                Some(Command::List(list)) => &list.filter,
                _ => &cli.filter,
            };
            assert_eq!(filter.as_slice(), ["-org:lab"], "{typed}");
        }
    }
}
