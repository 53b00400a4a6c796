//! What separates the cells of a table: said by its first line, or found in its first lines.
//!
//! In: the first bytes of a text. Out: one ASCII byte.

/// Separators that are found by themselves; of equally likely ones the first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// The separator that a first line `sep=;` names, which spreadsheets write and obey, and the bytes of that line.
pub(super) fn said_delimiter(start: &[u8]) -> Result<Option<(u8, usize)>, String> {
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
            Err(format!("the first line says {said:?}: a separator is one sign, such as , ; | or a tab"))
        }
    }
}

/// The separator of a table: of those that the heading has and by which most of the first lines have as many cells as the
/// heading, the one that the heading has most of; if there is none, the one that the heading has most of.
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
    fn the_separator_is_the_one_that_rows_agree_on() {
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
    fn a_separator_that_is_said_is_obeyed() {
        assert_eq!(said_delimiter(b"sep=;\r\na;b\r\n"), Ok(Some((b';', 7))));
        assert_eq!(said_delimiter(b"\"sep=|\"\na|b\n"), Ok(Some((b'|', 8))));
        assert_eq!(said_delimiter(b"SEP=\t\n"), Ok(Some((b'\t', 6))));
        assert_eq!(said_delimiter(b"sep=,"), Ok(Some((b',', 5))));
        assert_eq!(said_delimiter(b"separation,b\n"), Ok(None));
        for text in ["sep=\n", "sep=;;\n", "sep=x\n", "sep=\"\n"] {
            let error = said_delimiter(text.as_bytes()).unwrap_err();
            assert!(error.contains("sep="), "{error}");
        }
    }
}
