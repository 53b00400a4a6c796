//! Percent-encoding of addresses (RFC 3986, section 2.1).

use std::borrow::Cow;

use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::percent_decode_str;
use percent_encoding::utf8_percent_encode;

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
    // The library leaves what is no escape as it came; here it is a fault.
    let mut escapes = text.as_bytes().split(|byte| *byte == b'%').skip(1);
    let is_escape = |rest: &[u8]| rest.len() >= 2 && rest[..2].iter().all(u8::is_ascii_hexdigit);
    if !escapes.all(is_escape) {
        return None;
    }
    let spaced = text.replace('+', " ");
    percent_decode_str(&spaced).decode_utf8().ok().map(Cow::into_owned)
}

/// What is written as numbers in addresses: everything but letters, digits and a few marks.
const ESCAPED: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b',').remove(b':');

/// Percent-encoding of everything but letters, digits and a few marks that need none.
#[must_use]
pub fn encode(text: &str) -> Cow<'_, str> {
    utf8_percent_encode(text, ESCAPED).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_plus_is_a_space_in_queries_alone() {
        assert_eq!(decode("a+b%2B").as_deref(), Some("a b+"));
        assert_eq!(decode_path("a+b%2B"), "a+b+");
        for text in ["%zz", "%", "a%4", "%4%41", "%FF", "%+1"] {
            assert_eq!((decode(text), decode_path(text)), (None, text.to_owned()));
        }
        // Once: what comes out is not decoded again.
        assert_eq!(decode("%2541").as_deref(), Some("%41"));
    }

    proptest! {
        #[test]
        fn encoding_is_undone_by_decoding(text in ".*") {
            prop_assert_eq!(decode(&encode(&text)).unwrap(), text);
        }
    }
}
