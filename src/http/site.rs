//! The map application and the guides: their pages and files, embedded when the program was built.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::LazyLock;

use actix_web::http::header::CACHE_CONTROL;
use actix_web::http::header::CONTENT_SECURITY_POLICY;
use actix_web::http::header::REFERRER_POLICY;
use actix_web::web::Bytes;

use crate::http::Cost;
use crate::http::Ctx;
use crate::http::Work;
use crate::http::encode::Encoding;
use crate::http::encode::Packed;
use crate::http::encode::tag;
use crate::http::problem::Problem;
use crate::http::response::Response;

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
pub fn page(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(html(ctx, "index.html".to_owned(), "./"))
}

/// `GET /help`: the page that lists the guides.
///
/// # Errors
/// None.
pub fn help(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    Ok(html(ctx, "help/index.html".to_owned(), "../"))
}

/// `GET /help/{guide}`: the guide for one kind of user.
///
/// # Errors
/// [`Problem::NotFound`] for a guide that there is not.
pub fn guide(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let name = ctx.path_value("guide");
    if !GUIDES.contains(&name) {
        return Err(Problem::NotFound);
    }
    Ok(html(ctx, format!("help/{name}.html"), "../"))
}

/// A page. `root` is how its relative addresses name the address of the map: `./` or `../`.
///
/// Where the public address has a path, addresses become absolute: the page may then be asked for with a slash at its end
/// or without, and a relative address would mean two different files.
fn html(ctx: &Arc<Ctx>, name: String, root: &'static str) -> Work {
    const HTML: &str = "text/html; charset=utf-8";
    let ctx = Arc::clone(ctx);
    Work::new(Cost::NONE, move || {
        let absolute = |text: String, path: &str| text.replace(&format!("\"{root}"), &format!("\"{path}/"));
        let mut response = match (find(&ctx, &name), ctx.app.public_url.path()) {
            (None, "") => Response::ok(HTML, NOT_BUILT.replace("\"./", &format!("\"{root}"))),
            (None, path) => Response::ok(HTML, NOT_BUILT.replace("\"./", &format!("\"{path}/"))),
            (Some(page), "") => Response::packed(HTML, page),
            (Some(_), path) => Response::ok(HTML, absolute(plain(&name), path)),
        };
        response.headers.push((CONTENT_SECURITY_POLICY, POLICY.into()));
        response.headers.push((REFERRER_POLICY, "no-referrer".into()));
        Ok(response)
    })
}

/// The text of a page as it was built.
fn plain(name: &str) -> String {
    let page = EMBEDDED.iter().find(|file| file.name == name);
    page.map_or_else(String::new, |page| String::from_utf8_lossy(page.plain).into_owned())
}

/// `GET /assets/{file}`: a script, style, font or picture of the page.
///
/// # Errors
/// [`Problem::NotFound`].
pub fn asset(ctx: &Arc<Ctx>) -> Result<Work, Problem> {
    let name = ctx.path_value("file");
    let media_type = media_type(name);
    let file = find(ctx, &format!("assets/{name}")).ok_or(Problem::NotFound)?;
    Ok(Work::new(Cost::NONE, move || {
        let mut response = Response::packed(media_type, file);
        response.headers.push((CACHE_CONTROL, FOR_EVER.into()));
        Ok(response)
    }))
}

/// The best variant of a file that the caller accepts.
fn find(ctx: &Ctx, name: &str) -> Option<Packed> {
    let variants = FILES.get(name)?;
    let ours: Vec<Encoding> = OURS
        .iter()
        .copied()
        .filter(|encoding| variants.iter().any(|packed| packed.encoding == *encoding))
        .collect();
    let wanted = ctx.accepted.best(&ours);
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
