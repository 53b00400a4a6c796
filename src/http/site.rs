//! The map application and the guides: their pages and files, embedded when the program was built.

use std::collections::HashMap;
use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::http::header::REFERRER_POLICY;
use actix_web::web::Bytes;

use crate::http::Answer;
use crate::http::Call;
use crate::http::encode::Encoding;
use crate::http::encode::Packed;
use crate::http::encode::tag;
use crate::http::problem::Problem;

/// A file of the web part as the build found it, with what it compressed.
struct Embedded {
    name: &'static str,
    plain: &'static [u8],
    gzip: Option<&'static [u8]>,
    brotli: Option<&'static [u8]>,
}

include!(concat!(env!("OUT_DIR"), "/site.rs"));

/// Shown where the program was built without the web part; `./` stands for the address of the map.
const NOT_BUILT: &str = "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Throughline</title>\
    <h1>Throughline</h1><p>This program was built without its map and its guides. Build them with \
    <code>make build</code>.</p><p>The data is at <a href=\"./ogc\">/ogc</a>.</p></html>";

/// The guides at `/help/{guide}`. `static/build/help.ts` has the same list.
const GUIDES: &[&str] = &["analyst", "planner", "gis-officer"];

/// What a page may load: itself and nothing else. `data:` and `blob:` are pictures that the map library draws.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
    font-src 'self'; connect-src 'self'; worker-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Names of hashed files never mean another content.
const FOR_EVER: &str = "public, max-age=31536000, immutable";

/// Preferred encodings of embedded files.
const OURS: &[Encoding] = &[Encoding::Brotli, Encoding::Gzip];

static FILES: LazyLock<HashMap<&str, Vec<Packed>>> = LazyLock::new(|| {
    let pack = |file: &Embedded| {
        let variants = [
            (Encoding::Brotli, file.brotli),
            (Encoding::Gzip, file.gzip),
            (Encoding::Identity, Some(file.plain)),
        ];
        let packed = variants.into_iter().filter_map(|(encoding, body)| {
            let body = Bytes::from_static(body?);
            Some(Packed { encoding, tag: tag(file.plain, encoding), body })
        });
        packed.collect()
    };
    EMBEDDED.iter().map(|file| (file.name, pack(file))).collect()
});

/// `GET /`: the map application.
///
/// # Errors
/// None.
pub fn page(call: &Call) -> Result<Answer, Problem> {
    Ok(html(call, "index.html", "./"))
}

/// `GET /help`: the page that lists the guides.
///
/// # Errors
/// None.
pub fn help(call: &Call) -> Result<Answer, Problem> {
    Ok(html(call, "help/index.html", "../"))
}

/// `GET /help/{guide}`: the guide for one kind of user.
///
/// # Errors
/// [`Problem::NotFound`] for a guide that there is not.
pub fn guide(call: &Call) -> Result<Answer, Problem> {
    let name = call.path_value("guide");
    if !GUIDES.contains(&name) {
        return Err(Problem::NotFound);
    }
    Ok(html(call, &format!("help/{name}.html"), "../"))
}

/// A page. `root` is how its relative addresses name the address of the map: `./` or `../`.
///
/// Where the public address has a path, addresses become absolute: the page may then be asked for with a slash at its end
/// or without, and a relative address would mean two different files.
fn html(call: &Call, name: &str, root: &str) -> Answer {
    const HTML: &str = "text/html; charset=utf-8";
    let absolute = |text: String, path: &str| text.replace(&format!("\"{root}"), &format!("\"{path}/"));
    let mut answer = match (find(call, name), call.app.public_url.path()) {
        (None, "") => Answer::ok(HTML, NOT_BUILT.replace("\"./", &format!("\"{root}"))),
        (None, path) => Answer::ok(HTML, NOT_BUILT.replace("\"./", &format!("\"{path}/"))),
        (Some(page), "") => Answer::packed(HTML, page),
        (Some(_), path) => Answer::ok(HTML, absolute(plain(name), path)),
    };
    answer.headers.push((CONTENT_SECURITY_POLICY, POLICY.into()));
    answer.headers.push((REFERRER_POLICY, "no-referrer".into()));
    answer
}

/// The text of a page as it was built.
fn plain(name: &str) -> String {
    let page = EMBEDDED.iter().find(|file| file.name == name);
    page.map_or_else(String::new, |page| String::from_utf8_lossy(page.plain).into_owned())
}

/// `GET /assets/{file}`: a script, style, font or picture of a page.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn asset(call: &Call) -> Result<Answer, Problem> {
    let name = call.path_value("file");
    let file = find(call, &format!("assets/{name}")).ok_or(Problem::NotFound)?;
    let mut answer = Answer::packed(media_type(name), file);
    answer.headers.push((CACHE_CONTROL, FOR_EVER.into()));
    Ok(answer)
}

/// The best variant of a file that the caller accepts.
fn find(call: &Call, name: &str) -> Option<Packed> {
    let variants = FILES.get(name)?;
    let ours: Vec<Encoding> = OURS
        .iter()
        .copied()
        .filter(|encoding| variants.iter().any(|packed| packed.encoding == *encoding))
        .collect();
    let wanted = call.encoding(&ours);
    variants.iter().find(|packed| packed.encoding == wanted).cloned()
}

fn media_type(name: &str) -> &'static str {
    match name.rsplit('.').next().unwrap_or("") {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "json" | "topojson" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "woff2" => "font/woff2",
        "ico" => "image/x-icon",
        _ => "application/octet-stream",
    }
}
