//! Percent-encoding of addresses (RFC 3986, section 2.1).

use std::borrow::Cow;

/// Percent-decoding of a path value; one that cannot be decoded stays as it came, and names nothing.
#[must_use]
pub fn decode_path(text: &str) -> String {
    if !text.contains('%') {
        return text.to_owned();
    }
    decode(&text.replace('+', "%2B")).unwrap_or_else(|| text.to_owned())
}

/// Percent-decoding of one name or value of a query; a plus is a space, as in forms. `None` if it is not UTF-8 after.
#[must_use]
pub fn decode(text: &str) -> Option<String> {
    if !text.bytes().any(|byte| matches!(byte, b'+' | b'%')) {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, tail)) = rest.split_first() {
        rest = tail;
        match byte {
            b'+' => bytes.push(b' '),
            b'%' => {
                let digits = std::str::from_utf8(tail.get(..2)?).ok()?;
                if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                    return None;
                }
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &tail[2..];
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Percent-encoding of everything but letters, digits and a few marks that need none.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    if text.bytes().all(needs_none) {
        return text.into();
    }
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if needs_none(byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out.into()
}

fn needs_none(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b',' | b':')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plus_is_a_space_in_queries_alone() {
        assert_eq!(decode("a+b%2B").as_deref(), Some("a b+"));
        assert_eq!(decode_path("a+b%2B"), "a+b+");
        assert_eq!((decode("%zz"), decode_path("%zz")), (None, "%zz".to_owned()));
    }

    proptest! {
        #[test]
        fn encoding_is_undone_by_decoding(text in ".*") {
            prop_assert_eq!(decode(&encode(&text)).unwrap(), text);
        }
    }
}
