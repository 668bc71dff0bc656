//! Against `s3s-fs`, a real S3 server that keeps its objects in a folder, on loopback.

use std::io::Read as _;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use placet_export::{BucketPlace, BucketTarget, Credentials, ExportError, Limits, Target as _, export};

use crate::log::Log;

/// The server that is installed in the target folder.
const SERVER: &str = "s3s-fs";
const VERSION: &str = "0.14.1";

/// One test installs it, the others wait.
fn program() -> Option<PathBuf> {
    static INSTALLED: OnceLock<Option<PathBuf>> = OnceLock::new();
    INSTALLED.get_or_init(install).clone()
}

fn install() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools");
    let program = root.join("bin").join(SERVER);
    if program.exists() {
        return Some(program);
    }
    // A build folder of its own: this test's is locked by nobody while it runs, but its settings are not the server's.
    let mut install = Command::new(env!("CARGO"));
    let status = install
        .args(["install", SERVER, "--version", VERSION, "--locked", "--features", "binary", "--root"])
        .arg(&root)
        .arg("--target-dir")
        .arg(root.join("build"))
        .env_remove("RUSTFLAGS")
        .status();
    if status.is_ok_and(|status| status.success()) {
        return Some(program);
    }
    assert!(std::env::var_os("CI").is_none(), "{SERVER} {VERSION} cannot be installed");
    eprintln!(
        "SKIPPED: {SERVER} {VERSION} cannot be installed here, so nothing was exported to an S3 server"
    );
    None
}

/// A server that is stopped when it is dropped.
struct Server {
    child: Child,
    port: u16,
}

impl Server {
    fn start(program: &Path, root: &Path, port: u16) -> Self {
        let mut child = Command::new(program)
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(["--access-key", "placet", "--secret-key", "not-a-secret"])
            .arg(root)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let started = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if child.try_wait().unwrap().is_some() || started.elapsed() > Duration::from_secs(20) {
                let _ = child.kill();
                let mut said = String::new();
                let _ = child.stderr.take().unwrap().read_to_string(&mut said);
                panic!("the S3 server does not start: {said}");
            }
            std::thread::yield_now();
        }
        Self { child, port }
    }

    fn place(&self) -> BucketPlace {
        BucketPlace {
            bucket: "logs".to_owned(),
            prefix: "one/2027".to_owned(),
            region: "eu-west-1".to_owned(),
            endpoint: Some(format!("http://127.0.0.1:{}", self.port)),
            credentials: Some(Credentials {
                access_key: "placet".to_owned(),
                secret_key: "not-a-secret".to_owned(),
            }),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

/// A server with an empty bucket.
fn server() -> Option<(tempfile::TempDir, PathBuf, Server)> {
    let program = program()?;
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("logs")).unwrap();
    let server = Server::start(&program, folder.path(), free_port());
    Some((folder, program, server))
}

const QUICK: Limits =
    Limits { concurrency: 8, request: Duration::from_secs(5), file: Duration::from_secs(10) };

#[test]
fn a_log_is_exported_to_an_s3_server_round_by_round() {
    let Some((folder, _, server)) = server() else { return };
    let log = Log::new(1_000, 0);
    let mut bucket = BucketTarget::open(&server.place(), QUICK).unwrap();
    let prefix = folder.path().join("logs/one/2027");
    let mut before = None;
    for size in [1, 3, 10, 255, 256, 257, 390, 512, 1_000] {
        let done = export(&log.at(size), &mut bucket, &log.keys()).unwrap();
        assert_eq!((done.before, done.size), (before, size));
        assert_eq!(log.verify(&mut bucket), Some(size));
        assert_eq!(log.strays(&prefix, [before.unwrap_or(size), size]), Vec::<String>::new());
        before = Some(size);
    }
    assert_eq!(export(&log.at(1_000), &mut bucket, &log.keys()).unwrap().files, 0);
    let ahead = export(&log.at(999), &mut bucket, &log.keys()).unwrap_err();
    assert!(matches!(ahead, ExportError::Ahead { .. }));
    let fork = Log::new(1_100, 1);
    assert!(matches!(export(&fork.at(1_100), &mut bucket, &log.keys()), Err(ExportError::Fork { .. })));
    assert_eq!(log.verify(&mut bucket), Some(1_000));
}

#[test]
fn objects_say_what_they_are_and_how_long_they_keep() {
    use object_store::aws::AmazonS3Builder;
    use object_store::{Attribute, ObjectStoreExt as _};
    let Some((_folder, _, server)) = server() else { return };
    let log = Log::new(300, 0);
    export(&log.at(300), &mut BucketTarget::open(&server.place(), QUICK).unwrap(), &log.keys()).unwrap();
    let store = AmazonS3Builder::new()
        .with_bucket_name("logs")
        .with_endpoint(server.place().endpoint.unwrap())
        .with_allow_http(true)
        .with_access_key_id("placet")
        .with_secret_access_key("not-a-secret")
        .build()
        .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let roster = log.files(300).into_keys().find(|path| path.starts_with("roster/")).unwrap();
    for (path, content_type, keep) in [
        ("checkpoint", "text/plain; charset=utf-8", "no-cache"),
        ("exported", "text/plain; charset=utf-8", "no-cache"),
        ("tile/0/000", "application/octet-stream", "public, max-age=31536000, immutable"),
        ("slots/000.p/198", "application/octet-stream", "public, max-age=31536000, immutable"),
        (&roster, "text/plain; charset=utf-8", "public, max-age=31536000, immutable"),
    ] {
        let location = object_store::path::Path::from(format!("one/2027/{path}"));
        let got = runtime.block_on(store.get(&location)).unwrap();
        let told = |attribute: &Attribute| got.attributes.get(attribute).map(|value| value.to_string());
        assert_eq!(told(&Attribute::ContentType).as_deref(), Some(content_type), "{path}");
        assert_eq!(told(&Attribute::CacheControl).as_deref(), Some(keep), "{path}");
    }
}

#[test]
fn two_exporters_do_not_set_the_checkpoint_back() {
    let Some((_folder, _, server)) = server() else { return };
    let log = Log::new(100, 0);
    let mut slow = BucketTarget::open(&server.place(), QUICK).unwrap();
    let mut quick = BucketTarget::open(&server.place(), QUICK).unwrap();
    export(&log.at(10), &mut slow, &log.keys()).unwrap();
    let seen = slow.read("checkpoint").unwrap();
    export(&log.at(90), &mut quick, &log.keys()).unwrap();
    let old = placet_export::File { path: "checkpoint".to_owned(), bytes: log.checkpoint(50) };
    assert!(slow.publish(old.clone(), seen.as_ref()).is_err(), "it is no longer the one that was read");
    assert!(slow.publish(old, None).is_err(), "there is one");
    assert_eq!(log.verify(&mut quick), Some(90));
}

#[test]
fn a_server_killed_in_the_middle_holds_a_log_that_verifies_and_the_next_round_goes_on() {
    let Some((folder, program, mut server)) = server() else { return };
    let log = Log::new(4_000, 0);
    let keys = log.keys();
    let mut bucket = BucketTarget::open(&server.place(), QUICK).unwrap();
    export(&log.at(200), &mut bucket, &keys).unwrap();
    let port = server.port;
    let mut failed = 0;
    for (round, size) in (1..20).map(|round| (round, 200 + round * 200)) {
        let patience = Duration::from_millis(round * 15);
        let short = Limits { request: Duration::from_secs(1), file: Duration::from_secs(1), concurrency: 4 };
        let mut bucket = BucketTarget::open(&server.place(), short).unwrap();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(patience);
            drop(server);
        });
        let result = export(&log.at(size), &mut bucket, &keys);
        killer.join().unwrap();
        server = Server::start(&program, folder.path(), port);
        failed += u32::from(result.is_err());
        let stands = log.verify(&mut bucket).unwrap();
        assert!(stands == size || (result.is_err() && stands < size));
    }
    let mut bucket = BucketTarget::open(&server.place(), QUICK).unwrap();
    export(&log.at(4_000), &mut bucket, &keys).unwrap();
    assert_eq!(log.verify(&mut bucket), Some(4_000));
    eprintln!("the server was killed in 19 rounds, of which {failed} failed; the log verified after each");
    assert!(failed > 0);
}

#[test]
fn a_server_that_never_answers_is_given_up_in_time() {
    let silent = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let place = BucketPlace {
        bucket: "logs".to_owned(),
        prefix: String::new(),
        region: "eu-west-1".to_owned(),
        endpoint: Some(format!("http://{}", silent.local_addr().unwrap())),
        credentials: Some(Credentials { access_key: "a".to_owned(), secret_key: "b".to_owned() }),
    };
    let limits =
        Limits { concurrency: 1, request: Duration::from_millis(200), file: Duration::from_millis(500) };
    let log = Log::new(10, 0);
    let refused =
        export(&log.at(10), &mut BucketTarget::open(&place, limits).unwrap(), &log.keys()).unwrap_err();
    assert_eq!(refused.to_string(), "cannot read `checkpoint` at the target");
}

#[test]
fn only_loopback_may_do_without_tls() {
    let place = BucketPlace {
        bucket: "logs".to_owned(),
        prefix: String::new(),
        region: "eu-west-1".to_owned(),
        endpoint: Some("http://store.example:9000".to_owned()),
        credentials: Some(Credentials { access_key: "a".to_owned(), secret_key: "b".to_owned() }),
    };
    let quick =
        Limits { concurrency: 1, request: Duration::from_millis(500), file: Duration::from_millis(500) };
    let log = Log::new(10, 0);
    let refused =
        export(&log.at(10), &mut BucketTarget::open(&place, quick).unwrap(), &log.keys()).unwrap_err();
    let ExportError::Target(error) = refused else { panic!("{refused}") };
    assert!(format!("{:?}", error.source).contains("BadScheme"), "{:?}", error.source);
    assert!(!format!("{place:?}").contains("\"b\""), "a secret is not printed");
}
