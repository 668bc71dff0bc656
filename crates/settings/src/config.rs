use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use placet_camera::{Credentials, Place, Transport};
use placet_record::entry::CameraId;
use toml::de::{DeTable, DeValue};

use crate::keys::TABLES;
use crate::read::{Table, line_of};
use crate::{Problem, Secret, Users, secret};

/// No configuration file is longer, bytes.
const LONGEST: u64 = 1 << 20;

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// It was not written.
    Default,
    /// It stands in this line.
    Line(usize),
}

/// A value that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// Its table, such as `[rtsp]` or `[[camera]] hall-north`.
    pub table: String,
    /// Its key.
    pub key: &'static str,
    /// What holds. Secrets stand in files of their own, so none is here.
    pub value: String,
    /// Where it comes from.
    pub origin: Origin,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} = {}  ", self.table, self.key, self.value)?;
        match self.origin {
            Origin::Default => f.write_str("(default)"),
            Origin::Line(line) => write!(f, "(line {line})"),
        }
    }
}

/// Where a camera's pictures come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A camera in the network.
    Network {
        /// Where.
        place: Place,
        /// Who we are to it.
        credentials: Option<Credentials>,
        /// How it sends.
        transport: Transport,
    },
    /// A file or folder.
    Film(PathBuf),
    /// A camera at this machine.
    Device {
        /// Its file below `/dev`.
        path: PathBuf,
        /// Columns and rows of the pictures it is asked for; none: those it is set to.
        size: Option<(u32, u32)>,
    },
}

/// A camera.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraConfig {
    /// What pages and log call it.
    pub name: CameraId,
    /// Where its pictures come from.
    pub source: Source,
    /// Columns at most.
    pub max_width: u32,
    /// Frames a second expected.
    pub frame_rate: u32,
    /// Kilobits a second at most.
    pub max_kbit: u32,
    /// Whether its original is kept, sealed.
    pub sealed: bool,
}

/// A camera that is not read, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disabled {
    /// Its name, or a name by its place in the file.
    pub name: String,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
}

/// How faces are hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hiding {
    /// One color, red, green and blue; none: colors from around the face.
    pub solid: Option<[u8; 3]>,
    /// The whole head.
    pub head: bool,
    /// A box, not an ellipse.
    pub boxes: bool,
    /// Size of the mask, in per cent of the face.
    pub mask_percent: u32,
    /// Milliseconds after a face was last seen.
    pub hold_ms: u32,
    /// Milliseconds every picture waits.
    pub look_ahead_ms: u32,
}

/// Who may see what an outlet serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Disclosure {
    /// Whoever is on this machine.
    Loopback,
    /// Those who know a user's password.
    Users(Users),
    /// Those who know the text.
    Token(Secret),
}

/// Something that listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Where.
    pub listen: SocketAddr,
    /// To whom.
    pub disclosure: Disclosure,
    /// The first of its UDP ports, where it has any.
    pub udp_first: u16,
}

/// The ONVIF device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnvifConfig {
    /// Where it listens.
    pub listen: SocketAddr,
    /// What it is called.
    pub name: String,
    /// Under which name recorders reach this machine.
    pub host: Option<String>,
    /// Whether it answers to searches.
    pub discovery: bool,
}

/// The public log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// Its folder.
    pub home: PathBuf,
    /// Where it is served.
    pub listen: Option<SocketAddr>,
    /// Where it is exported to.
    pub export: Option<PathBuf>,
    /// Seconds before an interval.
    pub lead: u64,
}

/// Sealed originals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedConfig {
    /// Where they lie.
    pub folder: PathBuf,
    /// The public custody key's file.
    pub key_file: PathBuf,
    /// Kept so many hours.
    pub hours: u32,
    /// Gibibytes at most.
    pub gib: u64,
}

/// The whole configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The cameras that are read.
    pub cameras: Vec<CameraConfig>,
    /// Those that are not, and why.
    pub disabled: Vec<Disabled>,
    /// How faces are hidden.
    pub hiding: Hiding,
    /// Detector threads; none: one for each processor.
    pub finder_threads: Option<usize>,
    /// Folder of the models.
    pub models: Option<PathBuf>,
    /// Where metrics and health are served.
    pub metrics: Option<SocketAddr>,
    /// The RTSP server.
    pub rtsp: Option<Outlet>,
    /// The page.
    pub page: Option<Outlet>,
    /// The ONVIF device.
    pub onvif: Option<OnvifConfig>,
    /// The log.
    pub log: Option<LogConfig>,
    /// Sealed originals.
    pub sealed: Option<SealedConfig>,
    /// All that holds, with its origin.
    pub settings: Vec<Setting>,
}

impl Config {
    /// Reads a file, and the files of secrets it names.
    ///
    /// # Errors
    /// All problems but those of single cameras, which are in [`Config::disabled`].
    pub fn load(path: &Path) -> Result<Self, Vec<Problem>> {
        let whole = |words: String| vec![Problem { line: None, words }];
        let shown = path.display();
        let about = std::fs::metadata(path).map_err(|e| whole(format!("cannot read `{shown}`: {e}")))?;
        if about.len() > LONGEST {
            return Err(whole(format!("`{shown}` is longer than {LONGEST} bytes")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| whole(format!("cannot read `{shown}`: {e}")))?;
        let folder = path.parent().map_or_else(PathBuf::new, Path::to_owned);
        Self::parse(&text, &folder)
    }

    /// Reads the text of a configuration; relative paths count from `folder`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn parse(text: &str, folder: &Path) -> Result<Self, Vec<Problem>> {
        let (document, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let problem = |e: &toml::de::Error| Problem {
                line: e.span().map(|span| line_of(text, span.start)),
                words: format!("this is no TOML: {}", e.message()),
            };
            return Err(errors.iter().map(problem).collect());
        }
        let mut problems = Vec::new();
        let mut tables: BTreeMap<&str, Table<'_>> = BTreeMap::new();
        let mut cameras = Vec::new();
        for (name, value) in document.get_ref() {
            let line = line_of(text, name.span().start);
            let known =
                TABLES.iter().map(|(table, _)| *table).find(|table| *table == name.get_ref().as_ref());
            match (known, value.get_ref()) {
                (Some("camera"), DeValue::Array(list)) => {
                    for entry in list.iter() {
                        match entry.get_ref().as_table() {
                            Some(table) => {
                                let line = line_of(text, entry.span().start);
                                cameras.push(Table::new("camera", line, keys(table, text), folder));
                            }
                            None => {
                                problems.push(Problem::at(line, "`camera` must be written as `[[camera]]`"))
                            }
                        }
                    }
                }
                (Some("camera"), _) => {
                    problems.push(Problem::at(line, "`camera` must be written as `[[camera]]`"));
                }
                (Some(kind), DeValue::Table(table)) => {
                    tables.insert(kind, Table::new(kind, line, keys(table, text), folder));
                }
                (Some(kind), _) => {
                    problems.push(Problem::at(line, format!("`{kind}` must be a table, `[{kind}]`")))
                }
                (None, _) => {
                    let list: Vec<_> = TABLES.iter().map(|(table, _)| format!("[{table}]")).collect();
                    let words =
                        format!("`{}` is no table here; there are {}", name.get_ref(), list.join(", "));
                    problems.push(Problem::at(line, words));
                }
            }
        }
        Self::build(cameras, tables, folder, problems)
    }

    fn build(
        cameras: Vec<Table<'_>>,
        mut tables: BTreeMap<&str, Table<'_>>,
        folder: &Path,
        mut problems: Vec<Problem>,
    ) -> Result<Self, Vec<Problem>> {
        let mut settings = Vec::new();
        let mut take = |kind: &'static str| {
            (tables.contains_key(kind), tables.remove(kind).unwrap_or_else(|| Table::empty(kind, folder)))
        };
        let (_, mut redaction) = take("redaction");
        let (_, mut gateway) = take("gateway");
        let (has_rtsp, mut rtsp) = take("rtsp");
        let (has_page, mut page) = take("page");
        let (has_onvif, mut onvif) = take("onvif");
        let (has_log, mut log) = take("log");
        let (has_sealed, mut sealed) = take("sealed");

        let hiding = hiding(&mut redaction);
        let finder_threads = Some(gateway.number::<usize>("finder_threads")).filter(|n| *n > 0);
        let models = gateway.path("models");
        let metrics = gateway.listen("metrics");
        if metrics.is_some_and(|address| !address.ip().is_loopback()) {
            gateway.problem("metrics", "`metrics` may listen on this machine alone, such as on 127.0.0.1:9464; put a proxy before it");
        }
        let rtsp_out = has_rtsp
            .then(|| outlet(&mut rtsp, "users_file", |path| secret::users(path).map(Disclosure::Users)));
        let page_out =
            has_page.then(|| outlet(&mut page, "token_file", |path| token(path).map(Disclosure::Token)));
        let onvif_out = has_onvif.then(|| {
            if !has_rtsp {
                onvif.problem("listen", "[onvif] needs [rtsp]: it tells recorders where that is");
            }
            let listen = onvif.listen("listen");
            let users = matches!(
                rtsp_out.as_ref().and_then(Option::as_ref),
                Some(Outlet { disclosure: Disclosure::Users(_), .. })
            );
            if listen.is_some_and(|address| !address.ip().is_loopback()) && !users {
                onvif.problem("listen", "beyond this machine [onvif] needs `users_file` in [rtsp]");
            }
            let (name, host, discovery) = (onvif.word("name"), onvif.text("host"), onvif.switch("discovery"));
            listen.map(|listen| OnvifConfig { listen, name, host, discovery })
        });
        let log_out = has_log.then(|| {
            let home = needed(&mut log, "home");
            let (listen, export, lead) = (log.listen("listen"), log.path("export"), log.number("lead"));
            home.map(|home| LogConfig { home, listen, export, lead })
        });
        let sealed_out = has_sealed.then(|| {
            let (dir, key_file) = (needed(&mut sealed, "folder"), needed(&mut sealed, "key_file"));
            let (hours, gib) = (sealed.number("hours"), sealed.number("gib"));
            dir.zip(key_file).map(|(folder, key_file)| SealedConfig { folder, key_file, hours, gib })
        });
        for table in [redaction, gateway, rtsp, page, onvif, log, sealed] {
            problems.extend(table.problems);
            settings.extend(table.settings);
        }
        let (cameras, disabled) = all_cameras(cameras, has_sealed, &mut settings);
        if cameras.is_empty() && disabled.is_empty() {
            problems.push(Problem {
                line: None,
                words: "there is no camera; write one as `[[camera]]`".to_owned(),
            });
        }
        if !problems.is_empty() {
            problems.sort_by_key(|p| p.line);
            return Err(problems);
        }
        Ok(Self {
            cameras,
            disabled,
            hiding,
            finder_threads,
            models,
            metrics,
            rtsp: rtsp_out.flatten(),
            page: page_out.flatten(),
            onvif: onvif_out.flatten(),
            log: log_out.flatten(),
            sealed: sealed_out.flatten(),
            settings,
        })
    }
}

fn keys<'a>(table: &DeTable<'a>, text: &str) -> BTreeMap<String, (usize, DeValue<'a>)> {
    let pair = |(name, value): (&toml::Spanned<toml::de::DeString<'a>>, &toml::Spanned<DeValue<'a>>)| {
        (name.get_ref().to_string(), (line_of(text, name.span().start), value.get_ref().clone()))
    };
    table.iter().map(pair).collect()
}

fn needed(table: &mut Table<'_>, name: &str) -> Option<PathBuf> {
    let path = table.path(name);
    if path.is_none() && !table.has(name) {
        let words = format!("{} needs `{name}`", table.title);
        table.problem(name, words);
    }
    path
}

fn hiding(table: &mut Table<'_>) -> Hiding {
    let color = table.word("color");
    let hex = color.strip_prefix('#').unwrap_or(&color);
    let number = (hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()))
        .then(|| u32::from_str_radix(hex, 16).ok())
        .flatten();
    if number.is_none() {
        table.problem("color", "`color` must be six hex digits, RRGGBB, such as 808080");
    }
    let [_, r, g, b] = number.unwrap_or(0).to_be_bytes();
    Hiding {
        solid: (table.word("fill") == "solid").then_some([r, g, b]),
        head: table.word("target") == "head",
        boxes: table.word("shape") == "box",
        mask_percent: table.number("mask_percent"),
        hold_ms: table.number("hold_ms"),
        look_ahead_ms: table.number("look_ahead_ms"),
    }
}

fn outlet(
    table: &mut Table<'_>,
    secrets: &str,
    read: impl FnOnce(&Path) -> Result<Disclosure, String>,
) -> Option<Outlet> {
    let listen = table.listen("listen")?;
    let disclosure = match table.path(secrets).map(|path| read(&path)) {
        Some(Ok(disclosure)) => disclosure,
        Some(Err(words)) => {
            table.problem(secrets, words);
            return None;
        }
        None if listen.ip().is_loopback() => Disclosure::Loopback,
        None => {
            let words = format!("beyond this machine {} needs `{secrets}`", table.title);
            table.problem("listen", words);
            return None;
        }
    };
    let udp_first = if secrets == "users_file" { table.number("udp_first") } else { 0 };
    Some(Outlet { listen, disclosure, udp_first })
}

/// What opens the page.
fn token(path: &Path) -> Result<Secret, String> {
    let text = secret::read(path)?;
    let token = text.trim();
    let fits = (32..=128).contains(&token.len())
        && token.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if !fits {
        return Err(format!(
            "`{}` must hold 32 to 128 of A-Z, a-z, 0-9, - and _; make one with `openssl rand -hex 24`",
            path.display()
        ));
    }
    Ok(Secret::new(token))
}

fn all_cameras(
    tables: Vec<Table<'_>>,
    may_seal: bool,
    settings: &mut Vec<Setting>,
) -> (Vec<CameraConfig>, Vec<Disabled>) {
    let (mut cameras, mut disabled) = (Vec::<CameraConfig>::new(), Vec::new());
    let mut names = BTreeSet::new();
    for (at, mut table) in (1..).zip(tables) {
        let name = table.text("name");
        table.title = format!("[[camera]] {}", name.as_deref().unwrap_or("without a name"));
        table.settings.iter_mut().for_each(|s| s.table.clone_from(&table.title));
        let camera = camera(&mut table, name.as_deref(), may_seal);
        let again = camera.as_ref().is_some_and(|c| !names.insert(c.name.clone()));
        if again {
            table.problem("name", "another camera has this name");
        }
        match camera.filter(|_| table.problems.is_empty()) {
            Some(camera) => {
                settings.append(&mut table.settings);
                cameras.push(camera);
            }
            None => {
                let name = name.filter(|_| !again).unwrap_or_else(|| format!("camera {at} of the file"));
                disabled.push(Disabled { name, problems: table.problems });
            }
        }
    }
    (cameras, disabled)
}

fn camera(table: &mut Table<'_>, name: Option<&str>, may_seal: bool) -> Option<CameraConfig> {
    let name = match name.map(str::parse::<CameraId>) {
        Some(Ok(name)) if name.as_str().bytes().any(|b| b != b'.') => Some(name),
        Some(Err(error)) => {
            table.problem("name", format!("`name` {error}"));
            None
        }
        _ => {
            table.problem("name", "a camera needs a `name`: 1 to 64 of a to z, 0 to 9, `.`, `_`, `-`");
            None
        }
    };
    let source = source(table);
    let sealed = table.switch("sealed");
    if sealed && !may_seal {
        table.problem("sealed", "`sealed` needs the table [sealed]");
    }
    let (max_width, frame_rate, max_kbit) =
        (table.number("max_width"), table.number("frame_rate"), table.number("max_kbit"));
    Some(CameraConfig { name: name?, source: source?, max_width, frame_rate, max_kbit, sealed })
}

fn source(table: &mut Table<'_>) -> Option<Source> {
    let ways = ["url", "url_file", "film", "device"];
    let written: Vec<_> = ways.into_iter().filter(|way| table.has(way)).collect();
    let [way] = written.as_slice() else {
        table.problem(
            written.get(1).copied().unwrap_or("name"),
            "a camera needs one of `url`, `url_file`, `film` and `device`",
        );
        return None;
    };
    if *way == "film" {
        return table.path("film").map(Source::Film);
    }
    if *way == "device" {
        let path = table.path("device")?;
        let size = table.text("device_size").map(|text| size_of(&text).ok_or(text)).transpose();
        return match size {
            Ok(size) => Some(Source::Device { path, size }),
            Err(text) => {
                let problem =
                    format!("`device_size` is `{text}`, and must be columns x rows, such as `1280x720`");
                table.problem("device_size", problem);
                None
            }
        };
    }
    let text = if *way == "url" {
        zeroize::Zeroizing::new(table.text("url")?)
    } else {
        let path = table.path("url_file")?;
        match secret::read(&path) {
            Ok(text) => zeroize::Zeroizing::new(text.trim().to_owned()),
            Err(words) => {
                table.problem("url_file", words);
                return None;
            }
        }
    };
    let (place, inside) = match Place::parse(&text) {
        Ok(parsed) => parsed,
        Err(error) => {
            table.problem(way, error.to_string());
            return None;
        }
    };
    if *way == "url" && inside.is_some() {
        // It would be shown, too.
        table.settings.retain(|s| s.key != "url");
        table.problem("url", "user and password do not belong here: put them into a `credentials_file`, or the whole URL into a `url_file`");
        return None;
    }
    // Some cameras want their password in the query; what is shown has none.
    if let Some(shown) = table.settings.iter_mut().find(|s| s.key == "url") {
        shown.value = place.to_string();
    }
    let apart = table.path("credentials_file").map(|path| credentials(&path)).transpose();
    let credentials = match apart {
        Ok(apart) => apart.or(inside),
        Err(words) => {
            table.problem("credentials_file", words);
            return None;
        }
    };
    let transport = match table.word("transport").as_str() {
        "tcp" => Transport::Tcp,
        "udp" => Transport::Udp,
        _ => Transport::Auto,
    };
    Some(Source::Network { place, credentials, transport })
}

/// `1280x720`
fn size_of(text: &str) -> Option<(u32, u32)> {
    let (columns, rows) = text.split_once('x')?;
    let side = |text: &str| text.parse().ok().filter(|side| (16..=4096).contains(side));
    Some((side(columns)?, side(rows)?))
}

fn credentials(path: &Path) -> Result<Credentials, String> {
    let (user, password) = pair(path)?;
    Credentials::new(&user, &password).map_err(|e| e.to_string())
}

/// The user and the password of a camera's file of credentials.
///
/// # Errors
/// In words, where it cannot be read, others can read it, or it is something else.
pub fn pair(path: &Path) -> Result<(String, String), String> {
    let text = secret::read(path)?;
    let mut lines = text.lines();
    match (lines.next(), lines.next(), lines.all(|l| l.trim().is_empty())) {
        (Some(user), Some(password), true) => Ok((user.to_owned(), password.to_owned())),
        _ => Err(format!(
            "`{}` must have the user in its first line and the password in its second",
            path.display()
        )),
    }
}
