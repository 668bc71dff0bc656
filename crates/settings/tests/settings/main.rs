//! Files good and bad, and what is said of them.
#![expect(clippy::unwrap_used, reason = "a failed step of a test is a failed test")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use placet_settings::{Config, Disclosure, KEYS, Origin, Source, TABLES, reference};

const CAMERA: &str = "[[camera]]\nname = \"hall\"\nurl = \"rtsp://192.0.2.7/stream1\"\n";

fn parse(text: &str) -> Result<Config, Vec<String>> {
    Config::parse(text, Path::new("/nowhere"))
        .map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn secret(folder: &Path, name: &str, text: &str, mode: u32) {
    fs::write(folder.join(name), text).unwrap();
    fs::set_permissions(folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_camera_alone_is_a_configuration_and_everything_else_is_at_its_default() {
    let config = parse(CAMERA).unwrap();
    assert_eq!((config.cameras.len(), config.disabled.len()), (1, 0));
    assert_eq!(config.cameras[0].name.to_string(), "hall");
    assert!(
        config.rtsp.is_none() && config.page.is_none() && config.log.is_none() && config.sealed.is_none()
    );
    assert_eq!((config.hiding.hold_ms, config.hiding.solid, config.hiding.mask_percent), (1500, None, 130));
    assert_eq!(config.metrics.unwrap().to_string(), "127.0.0.1:9464");
    let url = config.settings.iter().find(|s| s.key == "url").unwrap();
    assert_eq!(url.to_string(), "[[camera]] hall url = rtsp://192.0.2.7/stream1  (line 3)");
    assert!(config.settings.iter().any(|s| s.key == "hold_ms" && s.origin == Origin::Default));
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_all_at_once() {
    for (text, said) in [
        ("", vec!["there is no camera; write one as `[[camera]]`"]),
        ("[[camera]\n", vec!["line 1: this is no TOML: "]),
        (
            "[camera]\nname = \"a\"\n",
            vec!["there is no camera;", "line 1: `camera` must be written as `[[camera]]`"],
        ),
        (
            "[[camera]]\nname = \"a\"\nfilm = \"x\"\n[redacton]\n",
            vec!["line 4: `redacton` is no table here; there are [camera]"],
        ),
        (
            "rtsp = 3\n[redaction]\nhold = 3\nholdms = 3\nhold_ms = 1\ncolor = \"red\"\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec![
                "line 1: `rtsp` must be a table, `[rtsp]`",
                "line 3: `hold` is no key of [redaction]; it knows color, fill, ",
                "line 4: `holdms` is no key of [redaction]; did you mean `hold_ms`?",
                "line 5: `hold_ms` must be 500 to 10000",
                "line 6: `color` must be six hex digits",
            ],
        ),
        (
            "[redaction]\nfill = \"none\"\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 2: `fill` must be `\"surround\"`, `\"solid\"`"],
        ),
        (
            "[redaction]\nfill = \"blur\"\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 2: `fill` must be `\"surround\"`, `\"solid\"`"],
        ),
        (
            "[redaction]\nenabled = false\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 2: `enabled` is no key of [redaction]; it knows"],
        ),
        (
            "[search]\nenabled = true\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 1: `search` is no table here"],
        ),
        (
            "[rtsp]\nlisten = \"0.0.0.0:8554\"\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 2: beyond this machine [rtsp] needs `users_file`"],
        ),
        (
            "[page]\nlisten = \"[::]:8080\"\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 2: beyond this machine [page] needs `token_file`"],
        ),
        (
            "[gateway]\nmetrics = \"0.0.0.0:9464\"\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec!["line 2: `metrics` may listen on this machine alone"],
        ),
        ("[onvif]\n[[camera]]\nname = \"a\"\nfilm = \"x\"", vec!["line 1: [onvif] needs [rtsp]"]),
        (
            "[log]\n[sealed]\nhours = 73\n[[camera]]\nname = \"a\"\nfilm = \"x\"",
            vec![
                "line 1: [log] needs `home`",
                "line 2: [sealed] needs `folder`",
                "line 2: [sealed] needs `key_file`",
                "line 3: `hours` must be 1 to 72",
            ],
        ),
    ] {
        let problems = parse(text).unwrap_err();
        assert_eq!(problems.len(), said.len(), "{text}: {problems:#?}");
        for (problem, said) in problems.iter().zip(said) {
            assert!(problem.starts_with(said), "{text}: {problem}");
        }
    }
}

#[test]
fn a_camera_that_is_wrong_is_disabled_with_its_reason_and_the_others_are_read() {
    for (entry, said) in [
        ("url = \"rtsp://192.0.2.8/\"", "line 4: a camera needs a `name`"),
        ("name = \"Hall\"\nurl = \"rtsp://192.0.2.8/\"", "line 5: `name` is not a camera's name"),
        ("name = \"hall\"\nurl = \"rtsp://192.0.2.8/\"", "line 5: another camera has this name"),
        ("name = \"b\"", "line 5: a camera needs one of `url`, `url_file`, `film` and `device`"),
        (
            "name = \"b\"\ndevice = \"/dev/video0\"\ndevice_size = \"big\"",
            "line 7: `device_size` is `big`, and must be columns x rows",
        ),
        ("name = \"b\"\nurl = \"rtsp://192.0.2.8/\"\nfilm = \"x\"", "line 7: a camera needs one of"),
        ("name = \"b\"\nurl = \"ftp://192.0.2.8/\"", "line 6: a camera's URL starts with"),
        (
            "name = \"b\"\nurl = \"rtsp://admin:hunter2@192.0.2.8/\"",
            "line 6: user and password do not belong here",
        ),
        (
            "name = \"b\"\nurl = \"rtsp://192.0.2.8/\"\nmax_width = 99999",
            "line 7: `max_width` must be 160 to 4096",
        ),
        ("name = \"b\"\nurl = \"rtsp://192.0.2.8/\"\ncolour = 3", "line 7: `colour` is no key of [camera]"),
        (
            "name = \"b\"\nurl = \"rtsp://192.0.2.8/\"\nsealed = true",
            "line 7: `sealed` needs the table [sealed]",
        ),
        (
            "name = \"b\"\nurl = \"rtsp://192.0.2.8/\"\ncredentials_file = \"c\"",
            "line 7: cannot read `/nowhere/c`",
        ),
    ] {
        let config = parse(&format!("{CAMERA}[[camera]]\n{entry}\n")).unwrap();
        assert_eq!((config.cameras.len(), config.disabled.len()), (1, 1), "{entry}");
        let words: Vec<_> = config.disabled[0].problems.iter().map(ToString::to_string).collect();
        assert!(words.iter().any(|w| w.starts_with(said)), "{entry}: {words:?}");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}

#[test]
fn secrets_come_from_files_that_others_cannot_read_and_are_never_shown() {
    let dir = tempfile::tempdir().unwrap();
    secret(dir.path(), "camera.secret", "admin\nhunter2\n", 0o600);
    secret(dir.path(), "camera.url", "rtsp://admin:hunter2@192.0.2.9/live?token=hunter2\n", 0o600);
    secret(dir.path(), "open.secret", "admin\nhunter2\n", 0o640);
    secret(dir.path(), "viewers", "# who may watch\nguard:hunter2\n\n", 0o600);
    secret(dir.path(), "token", "hunter2hunter2hunter2hunter2hunter2\n", 0o600);
    let text = "[[camera]]\nname = \"a\"\nurl = \"rtsp://192.0.2.7/?password=hunter2\"\ncredentials_file = \"camera.secret\"\n\
                [[camera]]\nname = \"b\"\nurl_file = \"camera.url\"\ntransport = \"udp\"\n\
                [[camera]]\nname = \"c\"\nurl = \"rtsp://192.0.2.7/\"\ncredentials_file = \"open.secret\"\n\
                [rtsp]\nlisten = \"0.0.0.0:8554\"\nusers_file = \"viewers\"\n\
                [page]\nlisten = \"0.0.0.0:8080\"\ntoken_file = \"token\"\n";
    let config = Config::parse(text, dir.path()).unwrap();
    let has = |at: usize| matches!(&config.cameras[at].source, Source::Network { credentials: Some(_), .. });
    assert!(has(0) && has(1) && config.cameras.len() == 2);
    let words = config.disabled[0].problems[0].to_string();
    assert!(words.contains("others can read") && words.contains("chmod 600"), "{words}");
    let Disclosure::Users(users) = &config.rtsp.as_ref().unwrap().disclosure else { panic!() };
    assert_eq!((users.0.len(), users.0[0].0.as_str(), users.0[0].1.expose()), (1, "guard", "hunter2"));
    assert!(matches!(config.page.as_ref().unwrap().disclosure, Disclosure::Token(_)));
    let shown: String = config.settings.iter().map(ToString::to_string).collect();
    assert!(!shown.contains("hunter2") && !format!("{config:?}").contains("hunter2"), "{config:?}");
}

#[test]
fn the_reference_page_has_every_key_as_the_program_reads_it() {
    let page = include_str!("../../../../docs/CONFIGURATION.md");
    assert_eq!(page, reference(), "docs/CONFIGURATION.md is another; `placet config reference` prints it");
    assert!(KEYS.iter().all(|key| TABLES.iter().any(|(table, _)| *table == key.table)));
}

#[test]
fn every_default_fits_its_own_key() {
    for key in KEYS.iter().filter(|key| !key.default.is_empty() && key.table != "camera") {
        let text = format!("{CAMERA}[{}]\n{} = {}\n", key.table, key.name, key.default);
        let problems = parse(&text).err().unwrap_or_default();
        assert!(problems.iter().all(|p| !p.contains("must be")), "{text}: {problems:?}");
    }
}

#[test]
fn attack_any_text_is_read_or_refused() {
    let good = format!(
        "{CAMERA}[rtsp]\nlisten = \"127.0.0.1:8554\"\n[redaction]\nhold_ms = 2000\nfill = \"solid\"\n"
    );
    let (mut tried, mut read) = (0, 0);
    for at in 0..good.len() {
        for byte in [0u8, b'"', b'[', b'=', b'\n', 0x7f, b'9', b'{'] {
            let mut text = good.clone().into_bytes();
            text[at] = byte;
            let Ok(text) = String::from_utf8(text) else { continue };
            tried += 1;
            read += u32::from(parse(&text).is_ok());
        }
        let _ = parse(&good[..at]);
    }
    println!("{tried} texts with one letter changed: {read} read, the others refused");
    assert!(read < tried);
}
