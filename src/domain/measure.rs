//! Cells that text takes on a terminal: measuring, cutting and wrapping by grapheme, never through the middle of one.

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::text::Clean;

/// Cells that `text` takes.
pub fn width(text: &str) -> usize {
    text.width()
}

/// At most `cells` of `text`; what does not fit ends in `…`.
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

/// Lines of at most `cells` each, broken after blanks where there are any, else anywhere. At least one line.
pub fn wrap(text: &Clean, cells: usize) -> Vec<Clean> {
    let text = text.as_str();
    let cells = cells.max(1);
    let mut lines = Vec::new();
    let (mut start, mut used) = (0, 0);
    // The place after the last blank of the line, and the cells before it.
    let mut blank: Option<(usize, usize)> = None;
    for (at, g) in text.grapheme_indices(true) {
        let w = g.width();
        if used + w > cells && at > start {
            if g == " " {
                lines.push(Clean::line(&text[start..at]));
                (start, used, blank) = (at + 1, 0, None);
                continue;
            }
            match blank.filter(|(b, _)| *b > start) {
                Some((b, before)) => {
                    lines.push(Clean::line(text[start..b].trim_end()));
                    start = b;
                    used -= before;
                }
                None => {
                    lines.push(Clean::line(&text[start..at]));
                    start = at;
                    used = 0;
                }
            }
            blank = None;
        }
        used += w;
        if g == " " {
            blank = Some((at + g.len(), used));
        }
    }
    if start < text.len() || lines.is_empty() {
        lines.push(Clean::line(&text[start..]));
    }
    lines
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
