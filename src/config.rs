//! Settings: defaults, then one TOML file, then `THROUGHLINE_*` variables, then flags; each overrides those before it.
//!
//! All of them are checked at the start.

use std::path::Path;
use std::path::PathBuf;

use anyhow::Context;
use anyhow::bail;
use serde::Deserialize;

/// All settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address and port to listen on.
    pub listen: String,
    /// The start of all links. Requests are answered only for its host and for the names of this machine.
    pub public_url: Option<String>,
    /// Address and port of metrics and detailed health for operators; without it, there are none.
    pub metrics_listen: Option<String>,
    /// Log level (`error`, `warn`, `info`, `debug`, `trace`) or `tracing` directives.
    pub log: String,
    /// The most connections of one client address, 1 or more.
    pub max_connections_per_address: usize,
    /// The most connections of one worker, 1 or more.
    pub max_connections: usize,
    /// Threads that answer requests; 0 for one for each core.
    pub workers: usize,
    /// The most megabytes of cached answers; 0 caches none.
    pub cache_mb: u64,
    /// The most megabytes of large answers that clients have not read yet; beyond it, further large answers are refused.
    pub unread_mb: u64,
    /// The policy file, which says who may see what; without it, the policy that comes with the program.
    pub policy: Option<PathBuf>,
    /// Whether due releases are published at the start and every hour; if not, `throughline release` does it.
    pub release: bool,
    /// Whether features may be dropped from tiles that would be too large; if not, every feature is in every tile that it
    /// reaches. Older files name it `thin_tiles`.
    #[serde(alias = "thin_tiles")]
    pub drop_features: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".to_owned(),
            public_url: None,
            metrics_listen: None,
            log: "info".to_owned(),
            max_connections_per_address: 200,
            max_connections: 4_096,
            workers: 0,
            cache_mb: 256,
            unread_mb: 256,
            policy: None,
            release: true,
            drop_features: true,
        }
    }
}

/// Settings from the environment or from flags.
#[derive(Debug, Clone, Default)]
pub struct Overrides {
    /// See [`Config::listen`].
    pub listen: Option<String>,
    /// See [`Config::public_url`].
    pub public_url: Option<String>,
    /// See [`Config::metrics_listen`].
    pub metrics_listen: Option<String>,
    /// See [`Config::log`].
    pub log: Option<String>,
}

impl Config {
    /// Reads the settings file, if there is one, and applies the overrides.
    ///
    /// # Errors
    /// If the file cannot be read or a setting is wrong; the text names the file and line and says what would be right.
    pub fn load(file: Option<&Path>, overrides: Overrides) -> anyhow::Result<Self> {
        let mut config = match file {
            None => Self::default(),
            Some(path) => {
                let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                toml::from_str(&text).with_context(|| path.display().to_string())?
            }
        };
        config.listen = overrides.listen.unwrap_or(config.listen);
        config.public_url = overrides.public_url.or(config.public_url);
        config.metrics_listen = overrides.metrics_listen.or(config.metrics_listen);
        config.log = overrides.log.unwrap_or(config.log);
        if let Some(url) = &config.public_url
            && !is_public_url(url)
        {
            bail!("public_url = {url:?} is not an address; give one like https://maps.example/throughline");
        }
        if config.max_connections_per_address == 0 || config.max_connections == 0 {
            bail!("max_connections and max_connections_per_address must be 1 or more");
        }
        Ok(config)
    }
}

/// Whether a text can be the start of links: scheme, host, and optionally a port and a path of plain parts.
fn is_public_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://")) else {
        return false;
    };
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:[]/%".contains(&byte);
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let parts = path.strip_suffix('/').unwrap_or(path).split('/');
    !host.is_empty()
        && !host.starts_with(':')
        && rest.bytes().all(plain)
        && (path.is_empty() || parts.into_iter().all(|part| !matches!(part, "" | "." | "..")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_settings_override_earlier_ones_and_unknown_ones_are_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("throughline.toml");
        std::fs::write(&file, "listen = \"127.0.0.1:9\"\nlog = \"warn\"\n").unwrap();
        let overrides = Overrides { log: Some("debug".into()), ..Overrides::default() };
        let config = Config::load(Some(&file), overrides).unwrap();
        assert_eq!((config.listen.as_str(), config.log.as_str()), ("127.0.0.1:9", "debug"));
        std::fs::write(&file, "thin_tiles = false\n").unwrap();
        let config = Config::load(Some(&file), Overrides::default()).unwrap();
        assert!(!config.drop_features, "the older name of the setting is read");
        std::fs::write(&file, "lisen = \"x\"\n").unwrap();
        let error = format!("{:#}", Config::load(Some(&file), Overrides::default()).unwrap_err());
        assert!(error.contains("lisen") && error.contains("listen"), "{error}");
        for bad in [
            "maps.example",
            "ftp://maps.example",
            "https://",
            "https:///t",
            "https://:80/t",
            "https://a@maps.example",
            "https://maps.example/?x",
            "https://maps.example/a b",
            "https://maps.example/a//b",
            "https://maps.example/../b",
            "https://maps.example/\"",
        ] {
            let bad = Overrides { public_url: Some(bad.into()), ..Overrides::default() };
            let error = Config::load(None, bad).unwrap_err().to_string();
            assert!(error.contains("https://maps.example/throughline"), "{error}");
        }
        for good in [
            "https://maps.example",
            "http://127.0.0.1:8080/",
            "https://[::1]:8443/t/",
            "https://m.example/a/b",
        ] {
            let good = Overrides { public_url: Some(good.into()), ..Overrides::default() };
            assert!(Config::load(None, good).is_ok());
        }
    }
}
