//! Every key, once.

use std::fmt::Write as _;

/// What a value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Any text.
    Text,
    /// A path; relative ones count from the folder of the configuration file.
    Path,
    /// `true` or `false`.
    Switch,
    /// A whole number between two.
    Number(i64, i64),
    /// One of these words.
    Choice(&'static [&'static str]),
    /// An address to listen on, such as `127.0.0.1:8554`.
    Listen,
}

/// One key of one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The table it stands in.
    pub table: &'static str,
    /// Its name.
    pub name: &'static str,
    /// What it may be.
    pub form: Form,
    /// What holds without it, as it would be written; empty where nothing does.
    pub default: &'static str,
    /// What it means.
    pub says: &'static str,
}

const fn key(
    table: &'static str,
    name: &'static str,
    form: Form,
    default: &'static str,
    says: &'static str,
) -> Key {
    Key { table, name, form, default, says }
}

/// The tables, with what each is for.
pub const TABLES: [(&str, &str); 8] = [
    ("camera", "A camera. `[[camera]]` once for each."),
    ("redaction", "How faces are hidden, at every camera."),
    ("gateway", "The machine's share."),
    (
        "rtsp",
        "The redacted cameras for recorders and players, as `rtsp://HOST/NAME`. Without this table there is none.",
    ),
    ("page", "The redacted cameras for browsers. Without this table there is none."),
    ("onvif", "The gateway as an ONVIF device that a recorder adds. Needs `[rtsp]`."),
    ("log", "The public log in which the gateway states, minute by minute, that no search ran."),
    (
        "sealed",
        "Originals, encrypted to a key that is not on this machine. Without this table none are kept.",
    ),
];

/// All keys, in the order of the reference page.
pub const KEYS: [Key; 39] = [
    key(
        "camera",
        "name",
        Form::Text,
        "",
        "What the pages and the log call it: 1 to 64 of a to z, 0 to 9, `.`, `_`, `-`.",
    ),
    key(
        "camera",
        "url",
        Form::Text,
        "",
        "Where it is: `rtsp://HOST/PATH`, or `http://` or `https://` for MJPEG. No user and no password: those have `credentials_file` or `url_file`.",
    ),
    key(
        "camera",
        "url_file",
        Form::Path,
        "",
        "Instead of `url`: a file with nothing but the URL, which may hold user and password. Readable by its owner alone.",
    ),
    key(
        "camera",
        "film",
        Form::Path,
        "",
        "Instead of `url`: a video file, or a folder of them, shown over and over.",
    ),
    key(
        "camera",
        "device",
        Form::Path,
        "",
        "Instead of `url`: a camera at this machine, such as `/dev/video0` (USB, V4L2). It is asked for `frame_rate` frames a second.",
    ),
    key(
        "camera",
        "device_size",
        Form::Text,
        "",
        "The pictures that a `device` is asked for, such as `1280x720`; without it, those it is set to.",
    ),
    key(
        "camera",
        "credentials_file",
        Form::Path,
        "",
        "A file with the camera's user in its first line and the password in its second. Readable by its owner alone.",
    ),
    key(
        "camera",
        "transport",
        Form::Choice(&["auto", "tcp", "udp"]),
        "\"auto\"",
        "How an RTSP camera sends: `auto` asks for TCP first.",
    ),
    key(
        "camera",
        "max_width",
        Form::Number(160, 4096),
        "1920",
        "Wider pictures are scaled down to so many columns.",
    ),
    key(
        "camera",
        "frame_rate",
        Form::Number(1, 60),
        "15",
        "Frames a second that are expected of it; the encoder plans by it.",
    ),
    key(
        "camera",
        "max_kbit",
        Form::Number(100, 50_000),
        "4000",
        "Kilobits a second that its redacted stream takes at most.",
    ),
    key("camera", "sealed", Form::Switch, "false", "Keep its original, encrypted. Needs `[sealed]`."),
    key(
        "redaction",
        "fill",
        Form::Choice(&["surround", "solid"]),
        "\"surround\"",
        "What stands where a face was: colors from around it, or one color.",
    ),
    key("redaction", "color", Form::Text, "\"000000\"", "The color of `solid`, as RRGGBB."),
    key(
        "redaction",
        "target",
        Form::Choice(&["face", "head"]),
        "\"face\"",
        "The face from forehead to chin, or with hair, ears and chin.",
    ),
    key(
        "redaction",
        "shape",
        Form::Choice(&["ellipse", "box"]),
        "\"ellipse\"",
        "The form of what is painted.",
    ),
    key(
        "redaction",
        "mask_percent",
        Form::Number(100, 400),
        "130",
        "Size of what is painted, in per cent of the face.",
    ),
    key(
        "redaction",
        "hold_ms",
        Form::Number(500, 10_000),
        "1500",
        "A face is hidden so long after it was last seen.",
    ),
    key(
        "redaction",
        "look_ahead_ms",
        Form::Number(0, 2000),
        "150",
        "Every picture waits so long, so that a face is hidden before it is first seen. It adds to the delay.",
    ),
    key(
        "gateway",
        "finder_threads",
        Form::Number(0, 256),
        "0",
        "Threads that look for faces; 0: one for each processor.",
    ),
    key(
        "gateway",
        "models",
        Form::Path,
        "",
        "Folder of the models; without it where `placet models install` puts them.",
    ),
    key(
        "gateway",
        "metrics",
        Form::Listen,
        "\"127.0.0.1:9464\"",
        "Where `/metrics` (Prometheus) and `/health` are served. No names but the cameras', no addresses.",
    ),
    key(
        "rtsp",
        "listen",
        Form::Listen,
        "\"127.0.0.1:8554\"",
        "Where recorders connect. Beyond this machine itself `users_file` is needed.",
    ),
    key(
        "rtsp",
        "users_file",
        Form::Path,
        "",
        "A file with a line `NAME:PASSWORD` for each who may watch. Readable by its owner alone.",
    ),
    key(
        "rtsp",
        "udp_first",
        Form::Number(1024, 65_000),
        "40000",
        "The first of the 1,000 ports from which UDP is sent.",
    ),
    key(
        "page",
        "listen",
        Form::Listen,
        "\"127.0.0.1:8080\"",
        "Where browsers connect. Beyond this machine itself `token_file` is needed, and a proxy that brings TLS.",
    ),
    key(
        "page",
        "token_file",
        Form::Path,
        "",
        "A file with the text that opens the page: 32 to 128 of A-Z, a-z, 0-9, - and _. Readable by its owner alone.",
    ),
    key(
        "onvif",
        "listen",
        Form::Listen,
        "\"127.0.0.1:8089\"",
        "Where recorders ask. Users are those of `[rtsp]`.",
    ),
    key("onvif", "name", Form::Text, "\"Placet\"", "What recorders show the device as."),
    key(
        "onvif",
        "host",
        Form::Text,
        "",
        "Name or address under which recorders reach this machine; without it the address at which they came.",
    ),
    key(
        "onvif",
        "discovery",
        Form::Switch,
        "false",
        "Answer to searches in the local network (WS-Discovery).",
    ),
    key("log", "home", Form::Path, "", "The log's folder, made by `placet log create` with these cameras."),
    key(
        "log",
        "listen",
        Form::Listen,
        "",
        "Serve the log there too; it can as well be exported, or served by `placet log serve` from a copy.",
    ),
    key("log", "export", Form::Path, "", "Export the log into this folder after each tick."),
    key(
        "log",
        "lead",
        Form::Number(1, 30),
        "5",
        "Seconds before an interval by which its statement is made.",
    ),
    key("sealed", "folder", Form::Path, "", "Where the encrypted originals lie."),
    key(
        "sealed",
        "key_file",
        Form::Path,
        "",
        "The public half of the custody key. Its private half must not be on this machine.",
    ),
    key("sealed", "hours", Form::Number(1, 72), "24", "They are deleted after so many hours; 72 at most."),
    key("sealed", "gib", Form::Number(1, 100_000), "20", "Gibibytes they take at most; the oldest go first."),
];

/// The reference page, as Markdown.
pub fn reference() -> String {
    let mut page = String::from(
        "# Configuration of `placet serve`\n\n\
         One file in TOML. `placet config check FILE` says what is wrong with it and what holds, with the origin of each\n\
         value, and starts nothing. Unknown keys are errors. What is wrong with one camera disables that camera alone.\n\
         The file is read again when it changes: cameras come, go and change without the others noticing; what listens\n\
         somewhere changes at the next start. No key shows a face, and none opens a search.\n\n\
         This page is made from the list that the program itself reads.\n",
    );
    for (table, says) in TABLES {
        let head = if table == "camera" { "[[camera]]".to_owned() } else { format!("[{table}]") };
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "\n## `{head}`\n\n{says}\n\n| key | may be | without it | means |\n| --- | --- | --- | --- |\n"
        );
        for key in KEYS.iter().filter(|key| key.table == table) {
            let without =
                if key.default.is_empty() { "nothing".to_owned() } else { format!("`{}`", key.default) };
            let _ = writeln!(page, "| `{}` | {} | {without} | {} |", key.name, key.form.words(), key.says);
        }
    }
    page
}

impl Form {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Switch => "`true` or `false`".to_owned(),
            Self::Number(least, most) => format!("{least} to {most}"),
            Self::Choice(words) => words.iter().map(|w| format!("`\"{w}\"`")).collect::<Vec<_>>().join(", "),
            Self::Listen => "an address and port".to_owned(),
        }
    }
}
