//! `placet camera`: find cameras in the network, ask one for its streams, try one; and what `doctor` says of each.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use placet_camera::{Camera, Config as CameraSettings, Credentials, Event, Place, Stream, Trouble, open};
use placet_ingest::Tools;
use placet_onvif::client::answer::{Encoding, MediaAddress};
use placet_onvif::client::lookup;
use placet_onvif::discovery::discover;
use placet_proxy::Clock;
use placet_settings::CameraConfig;
use serde_json::{Value, json};

use crate::exit::Exit;
use crate::log::runtime;
use crate::serve::open_camera;
use crate::{Failure, progress};

/// `placet camera`
#[derive(Subcommand)]
pub enum CameraCommand {
    /// Ask the local network who is there (WS-Discovery)
    Find(FindArgs),
    /// Ask a camera for its streams' addresses (ONVIF)
    Lookup(LookupArgs),
    /// Read a camera for a while and say what comes
    Try(TryArgs),
}

/// `placet camera find`
#[derive(Args)]
pub struct FindArgs {
    /// How long answers are awaited
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    wait: u64,
    /// Address of the network interface to ask on
    #[arg(long, value_name = "ADDRESS")]
    interface: Option<Ipv4Addr>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// `placet camera lookup`
#[derive(Args)]
pub struct LookupArgs {
    /// The camera's ONVIF address, such as http://192.0.2.7/onvif/device_service, or its host alone
    address: String,
    /// A file with the camera's user in its first line and the password in its second, readable by you alone
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// `placet camera try`
#[derive(Args)]
pub struct TryArgs {
    /// The camera's URL, without user and password
    url: String,
    /// A file with the camera's user in its first line and the password in its second, readable by you alone
    #[arg(long, value_name = "FILE")]
    credentials_file: Option<PathBuf>,
    /// How long pictures are counted
    #[arg(long, default_value_t = 4, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    wait: u64,
    /// For programs
    #[arg(long)]
    json: bool,
}

/// How long a camera may take for its first picture.
const FIRST: Duration = Duration::from_secs(12);
/// How long a camera may take for each of our questions.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs the verb.
pub fn run(command: &CameraCommand) -> Result<Exit, Failure> {
    match command {
        CameraCommand::Find(args) => find(args),
        CameraCommand::Lookup(args) => ask(args),
        CameraCommand::Try(args) => try_one(args),
    }
}

fn find(args: &FindArgs) -> Result<Exit, Failure> {
    let found = runtime()?
        .block_on(discover(Duration::from_secs(args.wait), args.interface))
        .map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
    if args.json {
        let list: Vec<Value> = found
            .iter()
            .map(|f| {
                let addresses: Vec<_> =
                    f.addresses.iter().map(|a| json!({ "url": a.url, "doubtful": a.doubtful })).collect();
                json!({
                    "endpoint": f.endpoint, "from": f.from.to_string(), "name": f.name, "hardware": f.hardware,
                    "location": f.location, "addresses": addresses,
                })
            })
            .collect();
        println!("{}", json!(list));
        return Ok(Exit::Done);
    }
    for camera in &found {
        let said = [&camera.name, &camera.hardware, &camera.location];
        let said: Vec<_> = said.into_iter().flatten().map(String::as_str).collect();
        println!("{}  {}", camera.from, progress::printable(&said.join(", ")));
        for address in &camera.addresses {
            let doubt =
                if address.doubtful { "  (another host than the one that answered: look twice)" } else { "" };
            println!("    {}{doubt}", progress::printable(&address.url));
        }
    }
    if found.is_empty() {
        eprintln!(
            "nobody answered; a firewall must let in UDP from port 3702, and cameras must have ONVIF on"
        );
    }
    Ok(Exit::Done)
}

fn ask(args: &LookupArgs) -> Result<Exit, Failure> {
    let address = match args.address.contains("://") {
        true => args.address.clone(),
        false => format!("http://{}/onvif/device_service", args.address),
    };
    let credentials = args.credentials_file.as_deref().map(pair).transpose()?;
    let credentials = credentials
        .map(|(user, word)| placet_onvif::Credentials::new(&user, word))
        .transpose()
        .map_err(Failure::usage)?;
    let camera = runtime()?
        .block_on(lookup(&address, credentials.as_ref(), PATIENCE))
        .map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
    let url = |media: &Option<MediaAddress>| match media {
        Some(media) if media.secret => Some("(it carries a password: see the camera's own page)".to_owned()),
        Some(media) => Some(progress::printable(&media.url)),
        None => None,
    };
    let encoding = |encoding: &Option<Encoding>| encoding.as_ref().map(|e| format!("{e:?}"));
    if args.json {
        let profiles: Vec<Value> = camera
            .profiles
            .iter()
            .map(|p| {
                json!({
                    "token": p.token, "name": p.name, "encoding": encoding(&p.encoding), "fps": p.fps,
                    "width": p.size.map(|s| s.width), "height": p.size.map(|s| s.height),
                    "stream": url(&p.stream), "snapshot": url(&p.snapshot),
                })
            })
            .collect();
        println!(
            "{}",
            json!({ "clock_ahead": camera.clock_ahead, "notes": camera.notes, "profiles": profiles })
        );
        return Ok(Exit::Done);
    }
    for profile in &camera.profiles {
        let size = profile.size.map(|s| format!("{} x {}", s.width, s.height));
        let fps = profile.fps.map(|fps| format!("{fps} a second"));
        let said: Vec<_> = [encoding(&profile.encoding), size, fps].into_iter().flatten().collect();
        println!("{}: {}", progress::printable(&profile.name), said.join(", "));
        println!("    url = \"{}\"", url(&profile.stream).unwrap_or_else(|| "none".to_owned()));
    }
    camera.notes.iter().for_each(|note| eprintln!("{}", progress::printable(note)));
    Ok(Exit::Done)
}

fn pair(path: &Path) -> Result<(String, String), Failure> {
    placet_settings::credentials_pair(path).map_err(Failure::Usage)
}

fn try_one(args: &TryArgs) -> Result<Exit, Failure> {
    let (place, inside) = Place::parse(&args.url).map_err(Failure::usage)?;
    if inside.is_some() {
        return Err(Failure::Usage(
            "a password in an argument is seen by everybody here: put user and password into a --credentials-file".to_owned(),
        ));
    }
    let credentials = args
        .credentials_file
        .as_deref()
        .map(pair)
        .transpose()?
        .map(|(user, word)| Credentials::new(&user, &word))
        .transpose()
        .map_err(Failure::usage)?;
    let clock = Clock::start();
    let runtime = runtime()?;
    let camera = {
        let _inside = runtime.enter();
        open(CameraSettings::new(place, credentials), move || clock.now())
    };
    let tried = runtime.block_on(look(camera, Duration::from_secs(args.wait)));
    if args.json {
        println!("{}", tried.json());
    } else {
        println!("{}", tried.words());
        if let Some(fix) = tried.fix() {
            println!("-> {fix}");
        }
    }
    Ok(if tried.well() { Exit::Done } else { Exit::Unavailable })
}

/// What came of a camera.
pub struct Tried {
    stream: Option<Stream>,
    pictures: u64,
    keys: u64,
    bytes: u64,
    seconds: f64,
    first: Option<Duration>,
    lost: u64,
    trouble: Option<Trouble>,
}

impl Tried {
    /// Whether pictures came to the end.
    pub fn well(&self) -> bool {
        self.pictures > 0 && self.trouble.is_none()
    }

    /// What is wrong, and what to do.
    pub fn fix(&self) -> Option<String> {
        self.trouble.as_ref().map(|trouble| trouble.advice().to_owned())
    }

    /// In a line.
    pub fn words(&self) -> String {
        let wrong = self.trouble.as_ref().map(ToString::to_string);
        let Some(stream) = self.stream else { return wrong.unwrap_or_else(|| "no picture came".to_owned()) };
        let rate = self.pictures as f64 / self.seconds.max(0.1);
        let kbit = self.bytes as f64 * 8.0 / 1000.0 / self.seconds.max(0.1);
        let first = self.first.map_or(0, |first| first.as_millis());
        let mut words = format!(
            "{} {} x {}, {rate:.1} pictures a second, {kbit:.0} kbit/s, first after {first} ms",
            stream.codec.name(),
            stream.size.width,
            stream.size.height,
        );
        if self.keys < 2 && self.seconds > 3.0 {
            words.push_str(
                "; pictures that decode alone come too seldom: set the camera to one every 1 to 2 seconds",
            );
        }
        if self.lost > 0 {
            words.push_str(&format!("; {} times pictures were lost on the way", self.lost));
        }
        if let Some(wrong) = wrong {
            words.push_str(&format!("; then {wrong}"));
        }
        words
    }

    fn json(&self) -> Value {
        json!({
            "well": self.well(), "words": self.words(), "fix": self.fix(), "pictures": self.pictures, "seconds": self.seconds,
            "codec": self.stream.map(|s| s.codec.name()),
            "width": self.stream.map(|s| s.size.width), "height": self.stream.map(|s| s.size.height),
            "bytes": self.bytes, "keys": self.keys, "lost": self.lost,
            "first_ms": self.first.map(|first| u64::try_from(first.as_millis()).unwrap_or(u64::MAX)),
        })
    }
}

/// Reads a camera until `wait` after its first picture, or until it is in trouble.
async fn look(mut camera: Camera, wait: Duration) -> Tried {
    let start = Instant::now();
    let mut tried = Tried {
        stream: None,
        pictures: 0,
        keys: 0,
        bytes: 0,
        seconds: 0.0,
        first: None,
        lost: 0,
        trouble: None,
    };
    loop {
        let until = tried.first.map_or(FIRST, |first| first + wait);
        let left = until.saturating_sub(start.elapsed());
        let Ok(Some(event)) = tokio::time::timeout(left, camera.next()).await else { break };
        match event {
            Event::Connected(stream) | Event::Changed(stream) => tried.stream = Some(stream),
            Event::Unit(unit) => {
                tried.first.get_or_insert_with(|| start.elapsed());
                tried.pictures += 1;
                tried.keys += u64::from(unit.key);
                tried.bytes += unit.data.len() as u64;
            }
            Event::Skipped(_) => tried.lost += 1,
            Event::Trouble(trouble) => {
                tried.trouble = Some(trouble);
                break;
            }
        }
    }
    tried.seconds = tried.first.map_or(0.0, |first| start.elapsed().saturating_sub(first).as_secs_f64());
    camera.close().await;
    tried
}

/// Tries all cameras of a configuration, at the same time.
pub fn try_all(cameras: &[CameraConfig]) -> Result<Vec<(String, Tried)>, Failure> {
    let runtime = runtime()?;
    let clock = Clock::start();
    let tools = Tools::find().map_err(|e| Failure::Unavailable(placet_job::chain(&e)))?;
    let _inside = runtime.enter();
    let looking: Vec<_> = cameras
        .iter()
        .map(|config| {
            let camera = open_camera(config, &tools, clock);
            (config.name.to_string(), runtime.spawn(look(camera, Duration::from_secs(4))))
        })
        .collect();
    runtime.block_on(async {
        let mut all = Vec::new();
        for (name, looked) in looking {
            all.push((name, looked.await.map_err(Failure::internal)?));
        }
        Ok(all)
    })
}
