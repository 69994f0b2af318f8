//! Widths of text in terminal cells: measures, truncates and wraps by grapheme, so that none is split.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::text::Clean;

/// The cells that `text` takes. By the rules of Unicode Standard Annex #11 for East Asian width: most characters take
/// one cell, wide ones two, combining ones none.
pub fn width(text: &str) -> usize {
    text.width()
}

/// At most `cells` of `text`; a truncated text ends in `…`.
pub fn cut(text: &Clean, cells: usize) -> Clean {
    let text = text.as_str();
    if text.len() <= cells || text.width() <= cells {
        return Clean::line(text);
    }
    let mut used = 0;
    let mut end = 0;
    for (at, g) in text.grapheme_indices(true) {
        let w = g.width();
        if used + w + 1 > cells {
            break;
        }
        used += w;
        end = at + g.len();
    }
    let mut out = text[..end].to_owned();
    if cells > 0 {
        out.push('…');
    }
    Clean::line(&out)
}

/// Wraps into lines of at most `cells`, after blanks where possible, else at any grapheme. Returns at least one line.
/// Blanks at a line break are dropped. A grapheme wider than `cells` gets its own line.
pub fn wrap(text: &Clean, cells: usize) -> Vec<Clean> {
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.as_str().split_inclusive(' ') {
        let body = word.trim_end_matches(' ');
        if used > 0 && used + body.width() > cells {
            lines.push(finish(&mut line, &mut used));
        }
        for g in body.graphemes(true) {
            let w = g.width();
            if used > 0 && used + w > cells {
                lines.push(finish(&mut line, &mut used));
            }
            line.push_str(g);
            used += w;
        }
        if body.len() < word.len() && used < cells {
            line.push(' ');
            used += 1;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(finish(&mut line, &mut used));
    }
    lines
}

/// Takes the line that is being built, without blanks at its end, and begins an empty one.
fn finish(line: &mut String, used: &mut usize) -> Clean {
    *used = 0;
    Clean::line(std::mem::take(line).trim_end_matches(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cuts_and_wraps() {
        let t = Clean::line("CSR denied by approver: policy");
        assert_eq!(cut(&t, 10).as_str(), "CSR denie…");
        assert_eq!(cut(&t, 99), t);
        assert_eq!(cut(&Clean::line("日本語"), 5).as_str(), "日本…");
        let lines: Vec<_> = wrap(&t, 12).iter().map(|l| l.as_str().to_owned()).collect();
        assert_eq!(lines, ["CSR denied", "by approver:", "policy"]);
        let lines: Vec<_> = wrap(&Clean::line("aaaaaaaaaa bb"), 4).iter().map(|l| l.as_str().to_owned()).collect();
        assert_eq!(lines, ["aaaa", "aaaa", "aa", "bb"]);
        assert_eq!(wrap(&Clean::line(""), 4).len(), 1);
    }

    proptest! {
        #[test]
        fn wrapped_lines_fit_and_keep_every_letter(s in "[ a-z日é]{0,80}", cells in 2usize..20) {
            let lines = wrap(&Clean::line(&s), cells);
            prop_assert!(lines.iter().all(|l| width(l.as_str()) <= cells));
            let letters = |t: &str| t.chars().filter(|c| *c != ' ').collect::<String>();
            let all: String = lines.iter().map(|l| l.as_str()).collect();
            prop_assert_eq!(letters(&all), letters(&s));
        }
    }
}
