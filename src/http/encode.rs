//! What every answer gets on its way out: a strong entity tag, 304, and one of three encodings.

use std::io::Write;

use crate::http::Answer;

/// Bodies shorter than this are not worth compressing.
const LEAST_COMPRESSED: usize = 512;
/// One level per encoding: the same request gives the same bytes.
const GZIP_LEVEL: u32 = 1;
const ZSTD_LEVEL: i32 = 3;

/// A content encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Identity,
    Gzip,
    Zstd,
}

/// Headers that decide what is sent.
#[derive(Debug, Default)]
pub struct Conditions<'a> {
    /// `Accept-Encoding`.
    pub accept_encoding: Option<&'a str>,
    /// `If-None-Match`.
    pub if_none_match: Option<&'a str>,
}

/// Makes the answer ready to send.
pub fn finish(mut answer: Answer, conditions: &Conditions<'_>) -> Answer {
    let keeps = answer.headers.iter().any(|(name, _)| *name == "cache-control");
    if !matches!(answer.status, 200 | 204) {
        if !keeps {
            answer.headers.push(("cache-control", "no-store".to_owned()));
        }
        return answer;
    }
    let encoding = if answer.body.len() < LEAST_COMPRESSED {
        Encoding::Identity
    } else {
        choose(conditions.accept_encoding.unwrap_or(""))
    };
    let suffix = match encoding {
        Encoding::Identity => "",
        Encoding::Gzip => "-gzip",
        Encoding::Zstd => "-zstd",
    };
    let tag = format!("\"{}{suffix}\"", &blake3::hash(&answer.body).to_hex()[..32]);
    let known = conditions.if_none_match.is_some_and(|list| matches_tag(list, &tag));
    answer.headers.push(("etag", tag));
    answer.headers.push(("vary", "accept-encoding".to_owned()));
    if !keeps {
        answer.headers.push(("cache-control", "no-cache".to_owned()));
    }
    if known {
        answer.status = 304;
        answer.body.clear();
        return answer;
    }
    let packed = match encoding {
        Encoding::Identity => None,
        Encoding::Gzip => gzip(&answer.body).map(|body| (body, "gzip")),
        Encoding::Zstd => zstd::bulk::compress(&answer.body, ZSTD_LEVEL).ok().map(|body| (body, "zstd")),
    };
    if let Some((body, name)) = packed {
        answer.body = body;
        answer.headers.push(("content-encoding", name.to_owned()));
    }
    answer
}

fn gzip(body: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(
        Vec::with_capacity(body.len() / 3),
        flate2::Compression::new(GZIP_LEVEL),
    );
    encoder.write_all(body).ok()?;
    encoder.finish().ok()
}

/// The best encoding that the caller accepts (RFC 9110, clause 12.5.3); ours first where they like two the same.
fn choose(accept: &str) -> Encoding {
    let mut quality = [None, None];
    let mut any = None;
    for part in accept.split(',') {
        let mut words = part.split(';');
        let name = words.next().unwrap_or("").trim();
        let q = words
            .find_map(|word| word.trim().strip_prefix("q="))
            .map_or(1.0, |q| q.parse().unwrap_or(0.0_f64));
        match name.to_ascii_lowercase().as_str() {
            "zstd" => quality[0] = Some(q),
            "gzip" | "x-gzip" => quality[1] = Some(q),
            "*" => any = Some(q),
            _ => {}
        }
    }
    let [zstd, gzip] = quality.map(|q| q.or(any).unwrap_or(0.0));
    if zstd > 0.0 && zstd >= gzip {
        Encoding::Zstd
    } else if gzip > 0.0 {
        Encoding::Gzip
    } else {
        Encoding::Identity
    }
}

/// Whether an `If-None-Match` list names the tag (weak comparison, RFC 9110, clause 13.1.2).
fn matches_tag(list: &str, tag: &str) -> bool {
    list.split(',')
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_follow_quality() {
        assert_eq!(choose(""), Encoding::Identity);
        assert_eq!(choose("gzip, deflate, br, zstd"), Encoding::Zstd);
        assert_eq!(choose("gzip;q=1.0, zstd;q=0.5"), Encoding::Gzip);
        assert_eq!(choose("gzip;q=0, *"), Encoding::Zstd);
        assert_eq!(choose("*;q=0"), Encoding::Identity);
        assert_eq!(choose("br"), Encoding::Identity);
    }

    #[test]
    fn each_encoding_has_its_own_tag_and_the_same_question_the_same_bytes() {
        let body = b"the quick brown fox ".repeat(100);
        let ask = |accept: &str, tag: Option<&str>| {
            finish(
                Answer::ok("text/plain", body.clone()),
                &Conditions { accept_encoding: Some(accept), if_none_match: tag },
            )
        };
        let tag =
            |answer: &Answer| answer.headers.iter().find(|(name, _)| *name == "etag").unwrap().1.clone();
        let (plain, gzip, zstd) = (ask("", None), ask("gzip", None), ask("zstd", None));
        assert!(tag(&plain) != tag(&gzip) && tag(&gzip) != tag(&zstd));
        assert_eq!(ask("gzip", None).body, gzip.body);
        let again = ask("gzip", Some(&format!("\"x\", {}", tag(&gzip))));
        assert_eq!((again.status, again.body.len()), (304, 0));
        assert_eq!(ask("gzip", Some(&tag(&plain))).status, 200);
        assert_eq!(zstd::bulk::decompress(&zstd.body, 1 << 20).unwrap(), body);
    }
}
