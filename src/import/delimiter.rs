//! The separator of a table's cells: its first line declares it, or it is found from the first lines.
//!
//! In: the first bytes of a text. Out: one ASCII byte.

/// Separators that can be found without a declaration; of equally likely ones the first is used.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator that a first line like `sep=;` declares, as spreadsheets write it, and the length of that line in
/// bytes; `None` if there is no such line.
///
/// # Errors
/// A sentence, if the line declares something that cannot separate cells.
pub(super) fn declared_delimiter(start: &[u8]) -> Result<Option<(u8, usize)>, String> {
    let end = start.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(start.len());
    let line = &start[..end];
    let bare = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\"")).unwrap_or(line);
    if bare.len() < 4 || !bare[..4].eq_ignore_ascii_case(b"sep=") {
        return Ok(None);
    }
    let next = if start[end..].starts_with(b"\r\n") { end + 2 } else { (end + 1).min(start.len()) };
    match bare[4..] {
        [byte] if byte == b'\t' || (byte.is_ascii_punctuation() && !b"\"'.-+_".contains(&byte)) => {
            Ok(Some((byte, next)))
        }
        _ => {
            let said = String::from_utf8_lossy(&bare[..bare.len().min(20)]).into_owned();
            Err(format!(
                "the first line is {said:?}: a separator must be one character, such as , ; | or a tab"
            ))
        }
    }
}

/// Finds the separator of a table from its first lines.
///
/// Candidates are the separators in the heading that give most of the next lines as many cells as the heading. The one
/// that is most frequent in the heading is used; without a candidate, the most frequent one of all.
pub(super) fn sniff_delimiter(start: &[u8]) -> u8 {
    let count = |line: &[u8], delimiter: u8| {
        let mut quoted = false;
        line.iter()
            .filter(|byte| {
                quoted ^= **byte == b'"';
                !quoted && **byte == delimiter
            })
            .count()
    };
    let blank = |line: &&[u8]| !line.trim_ascii().is_empty();
    let mut lines = start.split(|byte| matches!(byte, b'\n' | b'\r')).filter(blank);
    let heading = lines.next().unwrap_or_default();
    let sample: Vec<&[u8]> = lines.take(20).collect();
    let agrees = |delimiter: u8| {
        let wanted = count(heading, delimiter);
        sample.iter().filter(|line| count(line, delimiter) == wanted).count() * 2 > sample.len()
    };
    let mut best = (b',', false, 0);
    for delimiter in DELIMITERS {
        let in_heading = count(heading, delimiter);
        let candidate = (delimiter, in_heading > 0 && agrees(delimiter), in_heading);
        if (candidate.1, candidate.2) > (best.1, best.2) {
            best = candidate;
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_separator_gives_rows_as_many_cells_as_the_heading() {
        for (text, delimiter) in [
            ("a,b\n1,2\n", b','),
            ("a;b\n1,5;2\n", b';'),
            ("a\tb\n1\t2\n", b'\t'),
            ("a|b|c\n1|2|x, y\n", b'|'),
            ("brand\nAlfie\nMax & Co\n", b','),
            ("place (lat, lon);value\nx;5\ny;6\n", b';'),
            ("\"a;b;c\",d\n1,2\n", b','),
            ("a,b;c\n", b','),
            ("lon;lat\r\n1,5;52,25\r\n", b';'),
            ("", b','),
        ] {
            assert_eq!(char::from(sniff_delimiter(text.as_bytes())), char::from(delimiter), "{text:?}");
        }
    }

    #[test]
    fn a_declared_separator_is_used() {
        assert_eq!(declared_delimiter(b"sep=;\r\na;b\r\n"), Ok(Some((b';', 7))));
        assert_eq!(declared_delimiter(b"\"sep=|\"\na|b\n"), Ok(Some((b'|', 8))));
        assert_eq!(declared_delimiter(b"SEP=\t\n"), Ok(Some((b'\t', 6))));
        assert_eq!(declared_delimiter(b"sep=,"), Ok(Some((b',', 5))));
        assert_eq!(declared_delimiter(b"separation,b\n"), Ok(None));
        for text in ["sep=\n", "sep=;;\n", "sep=x\n", "sep=\"\n"] {
            let error = declared_delimiter(text.as_bytes()).unwrap_err();
            assert!(error.contains("sep="), "{error}");
        }
    }
}
