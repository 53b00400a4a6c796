//! HTTP: parse a request, plan the work, answer.
//!
//! In: requests. Out: JSON, tiles, streams, events, problems. The only room that knows actix. Every address is in
//! [`routes::ROUTES`], which feeds the router, the OpenAPI document and the non-interference test alike: a route's `plan`
//! parses its request once and returns a [`Work`] (cost, cache key, function to run), and `pipeline` answers from the cache,
//! runs light work where the request was read and the rest in the pool.
//! Not here: what the answers say (`query`, `tile`, `format`), who may see what (`access`).

mod app;
mod body;
mod cache;
mod caller;
mod cors;
mod cost;
mod ctx;
mod encode;
mod events;
mod flows;
mod guard;
mod health;
mod host;
mod log;
mod metrics;
mod ogc;
mod operator;
pub mod params;
pub mod percent;
mod pipeline;
pub mod problem;
mod question;
mod reads;
mod request;
mod response;
mod router;
pub mod routes;
mod schemas;
mod search;
mod server;
mod session;
mod site;
mod slices;
mod stream;
mod tasks;
mod tiles;
mod unread;
mod work;

pub use app::App;
pub use body::Accepts;
pub use body::RequestBody;
pub use body::Upload;
pub use cost::Cost;
pub use ctx::Ctx;
pub use encode::Encoding;
pub use events::Event;
pub use events::Events;
pub use log::LogStyle;
pub use log::RequestLog;
pub use ogc::api::document as openapi_document;
pub use reads::Reads;
pub use response::Response;
pub use server::Bound;
pub use server::ServerSettings;
pub use server::Sockets;
pub use server::bind;
pub use server::serve_operator;
pub use server::stop;
pub use stream::CHUNK;
pub use stream::Chunks;
pub use tasks::Running;
pub use tasks::Tasks;
pub use work::Work;
