//! Recognises the kind of a file by its first bytes, so that a file of another kind is refused by name and not read as
//! rows.
//!
//! In: the first bytes of a file, unpacked and without byte-order mark. Out: a sentence that names the kind of file and
//! says what would be right; nothing if the bytes can be the wanted text. Not here: whether the text is valid (`csv`,
//! `geojson`).

/// The kind of text that a reader expects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// A table, such as CSV.
    Table,
    /// JSON: one document, or one document on each line.
    Json,
}

/// A sentence that names the kind of a file that is not `wanted`, and says what would be right. `None` if the bytes can be
/// the wanted text.
pub(super) fn not_wanted(head: &[u8], wanted: Wanted) -> Option<String> {
    if let Some(what) = binary(head) {
        return Some(what.to_owned());
    }
    let text = head.trim_ascii_start();
    if let Some(what) = markup(text) {
        return Some(what.to_owned());
    }
    let json = is_json(text);
    match wanted {
        Wanted::Table if json => Some(JSON.to_owned()),
        Wanted::Json if !json && !text.is_empty() && !has_json_line(text) => Some(NO_JSON.to_owned()),
        Wanted::Json if is_dialect(text, b"\"Topology\"", b"\"arcs\"") => Some(TOPOJSON.to_owned()),
        Wanted::Json if is_dialect(text, b"\"esriGeometry", b"\"geometryType\"") => Some(ESRI.to_owned()),
        Wanted::Table | Wanted::Json => None,
    }
}

/// A sentence that names the kind of a file that is not a `GeoPackage`, and says what would be right. `None` if the file
/// begins like an SQLite file.
pub(super) fn not_a_geopackage(head: &[u8]) -> Option<String> {
    if head.starts_with(SQLITE) {
        return None;
    }
    if head.is_empty() {
        return Some("the file is empty: a GeoPackage has at least its base tables".to_owned());
    }
    let text = head.trim_ascii_start();
    let what = binary(head).or_else(|| markup(text)).or_else(|| is_json(text).then_some(JSON));
    Some(what.unwrap_or(TEXT_FOR_GEOPACKAGE).to_owned())
}

const SQLITE: &[u8] = b"SQLite format 3\0";

const JSON: &str =
    "this is JSON: import it with --format geojson, or geojsonseq if every line is a feature of its own";
const NO_JSON: &str =
    "this is text but not a JSON object: GeoJSON begins with {; import a table with --format csv";
const TOPOJSON: &str = "this is TopoJSON: convert it to GeoJSON first";
const ESRI: &str = "this is Esri JSON: ask the service for f=geojson, or convert it to GeoJSON first";
const TEXT_FOR_GEOPACKAGE: &str =
    "this is not a GeoPackage: it does not begin like one; import a table with --format csv";

const PAGE: &str =
    "this is a web page, perhaps one that asks to sign in, and has no data: download the file again";

/// First bytes of files, and a sentence for files that have them.
const MAGIC: &[(&[u8], &str)] = &[
    (
        b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1",
        "this is an Office file of the old kind (an Excel workbook, .xls): save the sheet as CSV UTF-8 and import that",
    ),
    (
        SQLITE,
        "this is a GeoPackage or another SQLite file: import a GeoPackage with --format gpkg, export tables of others as CSV",
    ),
    (b"%PDF-", "this is a PDF: import the table that it was made from, as CSV"),
    (b"\x89PNG\r\n\x1A\n", IMAGE),
    (b"\xFF\xD8\xFF", IMAGE),
    (b"GIF87a", IMAGE),
    (b"GIF89a", IMAGE),
    (b"II*\0", IMAGE),
    (b"MM\0*", IMAGE),
    (b"{\\rtf", "this is a text document (RTF): save the table in it as CSV UTF-8 and import that"),
    (b"PAR1", "this is a Parquet file: convert it to CSV or GeoPackage first"),
    (b"fgb\x03fgb", "this is a FlatGeobuf file: convert it to GeoPackage or GeoJSON first"),
    (b"\0\0\x27\x0A", "this is a part of a shapefile: convert the shapefile to GeoPackage first"),
    (b"\x1F\x8B", "the file is packed with gzip twice: unpack it once and import that"),
    (b"BZh", "this is packed with bzip2: unpack it, or pack it with gzip"),
    (b"\xFD7zXZ\0", "this is packed with xz: unpack it, or pack it with gzip"),
    (b"\x28\xB5\x2F\xFD", "this is packed with zstd: unpack it, or pack it with gzip"),
    (b"7z\xBC\xAF\x27\x1C", "this is a 7-Zip archive: unpack it and import the files in it"),
    (b"Rar!\x1A\x07", "this is a RAR archive: unpack it and import the files in it"),
];

const IMAGE: &str = "this is an image: import the data that it shows, as CSV, GeoJSON or GeoPackage";

/// The sentence for a binary file that begins like this; `None` for text.
fn binary(head: &[u8]) -> Option<&'static str> {
    if head.starts_with(b"PK\x03\x04") || head.starts_with(b"PK\x05\x06") {
        return Some(archive(head));
    }
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(what);
    }
    if head.starts_with(b"RIFF") && head.get(8..12) == Some(b"WEBP") {
        return Some(IMAGE);
    }
    if head.get(257..262) == Some(b"ustar") {
        return Some("this is a tar archive: unpack it and import the files in it");
    }
    // UTF-16 without a byte-order mark: every other byte of western text is zero.
    let zeros = |first: usize| head.iter().skip(first).step_by(2).take(64).filter(|byte| **byte == 0).count();
    if head.len() >= 8
        && (zeros(0) == 0) != (zeros(1) == 0)
        && zeros(0).max(zeros(1)) * 2 > head.len().min(128) / 2
    {
        return Some("the file is UTF-16: save it as UTF-8");
    }
    head.contains(&0).then_some("this is a binary file, not text: import CSV, GeoJSON or GeoPackage")
}

/// The sentence for a ZIP archive, by the file names at its start.
fn archive(head: &[u8]) -> &'static str {
    if contains(head, b"xl/") || contains(head, b"[Content_Types].xml") {
        "this is an Excel workbook (.xlsx): save the sheet as CSV UTF-8 and import that"
    } else if contains(head, b"opendocument.spreadsheet") {
        "this is an OpenDocument workbook (.ods): save the sheet as CSV in UTF-8 and import that"
    } else if contains(head, b".shp") || contains(head, b".dbf") {
        "this is a zipped shapefile: convert it to GeoPackage first"
    } else if contains(head, b".kml") {
        "this is a KMZ file: convert it to GeoPackage or GeoJSON first"
    } else {
        "this is a ZIP archive: unpack it and import the files in it"
    }
}

/// The sentence for a text that is markup; `None` if it is not.
fn markup(text: &[u8]) -> Option<&'static str> {
    if !text.starts_with(b"<") {
        return None;
    }
    let lower = text[..text.len().min(4_096)].to_ascii_lowercase();
    if contains(&lower, b"<!doctype html") || contains(&lower, b"<html") || lower.starts_with(b"<script") {
        return Some(PAGE);
    }
    if contains(&lower, b"urn:schemas-microsoft-com:office:spreadsheet") {
        return Some("this is an Excel workbook in XML: save the sheet as CSV UTF-8 and import that");
    }
    for (mark, what) in [
        (&b"<kml"[..], "this is KML: convert it to GeoPackage or GeoJSON first"),
        (b"<gpx", "this is GPX: convert it to GeoPackage or GeoJSON first"),
        (b"opengis.net/gml", "this is GML: convert it to GeoPackage or GeoJSON first"),
    ] {
        if contains(&lower, mark) {
            return Some(what);
        }
    }
    // The headings of some price lists stand in angle brackets; such a text has no closing tag.
    let is_markup = lower.starts_with(b"<?xml") || lower.starts_with(b"<!") || contains(&lower, b"</");
    is_markup
        .then_some("this is XML or a piece of a web page, not a table: convert it to CSV or GeoJSON first")
}

/// Whether a text begins like a JSON document. Headings in square brackets (`[id],[name]`) do not begin like one.
fn is_json(text: &[u8]) -> bool {
    let after = |rest: &[u8]| rest.trim_ascii_start().first().copied();
    match text {
        [0x1E, ..] => true,
        [b'{', rest @ ..] => matches!(after(rest), Some(b'"' | b'}') | None),
        [b'[', rest @ ..] => {
            matches!(after(rest), Some(b'{' | b'[' | b'"' | b']' | b'-' | b'0'..=b'9') | None)
        }
        _ => false,
    }
}

/// Whether a line of the text begins like a JSON object. A sequence with a broken first line is still read.
fn has_json_line(text: &[u8]) -> bool {
    text.split(|byte| *byte == b'\n').any(|line| line.trim_ascii_start().starts_with(b"{"))
}

fn is_dialect(text: &[u8], one: &[u8], other: &[u8]) -> bool {
    contains(text, one) && contains(text, other) && !contains(text, b"\"Feature")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn said(head: &[u8], wanted: Wanted, word: &str) {
        let what = not_wanted(head, wanted).unwrap_or_default();
        assert!(what.contains(word), "{word} is not in {what:?}");
        assert_eq!(what.lines().count(), 1, "one sentence");
    }

    #[test]
    fn files_that_are_not_tables_are_named() {
        let mut tar = vec![b'a'; 512];
        tar[257..262].copy_from_slice(b"ustar");
        for (head, word) in [
            (&b"PK\x03\x04\x14\0\0\0\x08\0..[Content_Types].xml"[..], "Excel workbook"),
            (b"PK\x03\x04\x14\0..xl/worksheets/sheet1.xml", "Excel workbook"),
            (b"PK\x03\x04..mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
            (b"PK\x03\x04..areas.shp", "shapefile"),
            (b"PK\x03\x04..doc.kml", "KMZ"),
            (b"PK\x03\x04..notes.txt", "ZIP"),
            (b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1\0\0", "Excel"),
            (b"%PDF-1.7\n", "PDF"),
            (b"\x89PNG\r\n\x1A\n\0", "image"),
            (b"\xFF\xD8\xFF\xE0", "image"),
            (b"RIFF\x10\0\0\0WEBPVP8 ", "image"),
            (b"<!DOCTYPE html>\n<html><title>Sign in</title>", "web page"),
            (b"  \r\n<html lang=en>", "web page"),
            (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC ''>", "web page"),
            (b"<?xml version='1.0'?><kml xmlns=''>", "KML"),
            (b"<?xml version='1.0'?><data><row/></data>", "XML"),
            (b"<Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'>", "Excel"),
            (b"<div class='error'>no</div>", "web page"),
            (b"{\"type\":\"FeatureCollection\"}", "--format geojson"),
            (b" [ {\"a\":1}]", "JSON"),
            (b"[[1,2],[3,4]]", "JSON"),
            (b"\x1E{\"type\":\"Feature\"}", "JSON"),
            (b"SQLite format 3\0....", "--format gpkg"),
            (b"\x1F\x8B\x08\0", "twice"),
            (b"BZh91AY", "bzip2"),
            (b"\x28\xB5\x2F\xFD\x04", "zstd"),
            (b"{\\rtf1\\ansi", "RTF"),
            (b"l\0o\0n\0,\0l\0a\0t\0\n\0", "UTF-16"),
            (b"\0l\0o\0n\0,\0l\0a\0t\0\n", "UTF-16"),
            (b"id,name\n1,a\0b\n", "binary"),
            (&tar, "tar"),
        ] {
            said(head, Wanted::Table, word);
        }
    }

    #[test]
    fn files_that_are_not_geojson_are_named() {
        said(b"lon,lat,name\n1,2,x\n", Wanted::Json, "--format csv");
        said(b"{\"type\":\"Topology\",\"arcs\":[]}", Wanted::Json, "TopoJSON");
        said(
            b"{\"geometryType\":\"esriGeometryPoint\",\"features\":[{\"attributes\":{}}]}",
            Wanted::Json,
            "Esri JSON",
        );
        said(b"<html>", Wanted::Json, "web page");
        said(b"PK\x03\x04", Wanted::Json, "ZIP");
        for text in
            [&b"{\"type\":\"Feature\"}"[..], b"", b"\x1E{}", b"{broken\n{\"type\":\"Feature\"}", b"[1,2]"]
        {
            assert_eq!(not_wanted(text, Wanted::Json), None, "{}", String::from_utf8_lossy(text));
        }
    }

    #[test]
    fn files_that_are_not_geopackages_are_named() {
        for (head, word) in [
            (&b"lon,lat\n1,2\n"[..], "--format csv"),
            (b"{\"type\":1}", "--format geojson"),
            (b"", "empty"),
            (b"PK\x03\x04xl/", "Excel"),
            (b"<html>", "web page"),
        ] {
            let what = not_a_geopackage(head).unwrap();
            assert!(what.contains(word), "{what}");
        }
        assert_eq!(not_a_geopackage(b"SQLite format 3\0\x10\0"), None);
    }

    #[test]
    fn tables_with_unusual_headings_are_accepted() {
        for head in [
            &b"brand\nAlfie\nMax & Co\n"[..],
            b"<DATE>,<OPEN>,<CLOSE>\n2031-03-01,1,2\n",
            b"[id],[name]\n1,x\n",
            b"{id},{name}\n1,x\n",
            b"BMI,name\n1,x\n",
            b"MM,II\n1,2\n",
            b"caf\xE9;lon;lat\n",
            b"PAR,name\n",
            b"",
        ] {
            assert_eq!(not_wanted(head, Wanted::Table), None, "{}", String::from_utf8_lossy(head));
        }
    }
}
