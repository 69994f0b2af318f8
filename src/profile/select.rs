//! Checks that a profile's `select` is one `SELECT` that ends where the text ends.
//!
//! This does not protect against a malicious author, who may read anything that the role may read; read-only transactions
//! refuse writes. It keeps a mistake from turning into another statement than the one shown.

/// Checks a profile's `select`. The error completes a sentence that begins with "the select". Fails for a text that is
/// empty, begins with another word, holds `;`, `$` or NUL outside of quotes and comments, or leaves a quote, a comment
/// or a parenthesis open.
pub fn check(text: &str) -> Result<(), String> {
    let mut scan = Scan { rest: text, depth: 0 };
    let mut first = None;
    while let Some(c) = scan.rest.chars().next() {
        match c {
            '\'' => scan.quoted('\'', text)?,
            '"' => scan.quoted('"', text)?,
            '-' if scan.rest.starts_with("--") => scan.line_comment(),
            '/' if scan.rest.starts_with("/*") => scan.block_comment()?,
            '$' => scan.dollar()?,
            ';' => return Err("has a ';'; one SELECT is valid, without it".into()),
            '\0' => return Err("has a NUL".into()),
            '(' => {
                scan.depth += 1;
                scan.skip(1);
            }
            ')' => {
                scan.depth = scan.depth.checked_sub(1).ok_or("closes a parenthesis that it did not open")?;
                scan.skip(1);
            }
            c if c.is_alphanumeric() || c == '_' => {
                let end = scan.rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(scan.rest.len());
                first.get_or_insert_with(|| scan.rest.get(..end).unwrap_or_default().to_ascii_lowercase());
                scan.skip(end);
            }
            c => scan.skip(c.len_utf8()),
        }
    }
    if scan.depth > 0 {
        return Err("leaves a parenthesis open".into());
    }
    match first.as_deref() {
        Some("select") => Ok(()),
        Some(word) => Err(format!("begins with '{word}'; one SELECT is valid")),
        None => Err("is empty; one SELECT is valid".into()),
    }
}

/// A position in the text of a select.
struct Scan<'a> {
    /// The text that is not read yet.
    rest: &'a str,
    /// Parentheses that are open.
    depth: usize,
}

impl Scan<'_> {
    /// Moves on by that many bytes.
    fn skip(&mut self, bytes: usize) {
        self.rest = self.rest.get(bytes..).unwrap_or_default();
    }

    /// Skips a quoted text or name; a doubled quote is part of it. PostgreSQL's `E'…'` is refused, because SQLite reads
    /// its backslashes differently.
    fn quoted(&mut self, quote: char, whole: &str) -> Result<(), String> {
        let before = whole.len() - self.rest.len();
        let mut head = whole.get(..before).unwrap_or_default().chars().rev();
        let marked = quote == '\'' && head.next().is_some_and(|c| c.eq_ignore_ascii_case(&'e'));
        if marked && !head.next().is_some_and(|c| c.is_alphanumeric() || c == '_') {
            return Err("has a text as E'…'; write it without backslashes".into());
        }
        self.skip(1);
        loop {
            let end = self.rest.find(quote).ok_or_else(|| format!("has a {quote} that is never closed"))?;
            self.skip(end + 1);
            if !self.rest.starts_with(quote) {
                return Ok(());
            }
            self.skip(1);
        }
    }

    /// Skips a comment to the end of its line.
    fn line_comment(&mut self) {
        let end = self.rest.find('\n').unwrap_or(self.rest.len());
        self.skip(end);
    }

    /// Skips a comment. PostgreSQL nests block comments and SQLite does not, so nested ones are refused.
    fn block_comment(&mut self) -> Result<(), String> {
        let end = self.rest.find("*/").ok_or("has a comment that is never closed")?;
        if self.rest.get(2..end).is_some_and(|inner| inner.contains("/*")) {
            return Err("has a comment within a comment".into());
        }
        self.skip(end + 2);
        Ok(())
    }

    /// Refuses `$`: placeholders belong to the program, and a dollar-quoted text could hide the end of the statement.
    fn dollar(&mut self) -> Result<(), String> {
        Err("has a '$'; placeholders and dollar quotes are not valid here".into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_select_and_nothing_else() {
        for good in [
            "select 1",
            "  SELECT a, 'it''s; (' AS b FROM t -- ; (\n WHERE x IN (1, 2) /* ; */",
            "SELECT \"a;b\" FROM t",
            "SELECT 'see' FROM the",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
        }
        for (bad, why) in [
            ("", "is empty"),
            ("DELETE FROM t", "begins with 'delete'"),
            ("WITH x AS (SELECT 1) SELECT * FROM x", "begins with 'with'"),
            ("SELECT 1; DROP TABLE t", "has a ';'"),
            ("SELECT 1) x, (SELECT 2", "closes a parenthesis"),
            ("SELECT (1", "leaves a parenthesis open"),
            ("SELECT 'x", "has a ' that"),
            ("SELECT E'\\'", "has a text as E"),
            ("SELECT $1", "has a '$'"),
            ("SELECT 1 /* x", "has a comment that"),
            ("SELECT 1 /* /* */ */", "has a comment within"),
        ] {
            assert!(check(bad).is_err_and(|e| e.starts_with(why)), "{bad}: {:?}", check(bad));
        }
    }
}
