use std::sync::Arc;

use placet_core::Digest;
use placet_export::{ExportError, FolderTarget, export};

use crate::log::Log;

/// The whole chain of an error's texts.
fn words(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", words(source)),
        None => error.to_string(),
    }
}

#[test]
fn a_target_that_is_ahead_or_of_another_history_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (log, fork) = (Log::new(700, 0), Log::new(700, 1));
    let mut target = FolderTarget::open(folder.path()).unwrap();
    export(&log.at(600), &mut target, &log.keys()).unwrap();
    let mut refused = |log: &Arc<Log>, size| export(&log.at(size), &mut target, &log.keys()).unwrap_err();

    let ahead = refused(&log, 599);
    assert!(matches!(ahead, ExportError::Ahead { target: 600, log: 599 }));
    assert!(words(&ahead).contains("the log was set back, or another exporter is ahead"));
    for size in [600, 601, 700] {
        let forked = refused(&fork, size);
        assert!(matches!(forked, ExportError::Fork { target: 600, .. }), "{forked}");
        assert!(words(&forked).contains("the log has two histories; keep both as evidence"));
    }
    assert_eq!(log.verify(&mut target), Some(600));

    std::fs::write(folder.path().join("checkpoint"), "no checkpoint").unwrap();
    let foreign = export(&log.at(700), &mut target, &log.keys()).unwrap_err();
    assert!(words(&foreign).contains("export to another place"), "{}", words(&foreign));
    assert_eq!(std::fs::read(folder.path().join("checkpoint")).unwrap(), b"no checkpoint");
}

#[test]
fn a_log_whose_key_is_not_known_is_not_exported() {
    let folder = tempfile::tempdir().unwrap();
    let log = Log::new(10, 0);
    let other = placet_tlog::note::SignerKey::generate("log.example/export", [8; 32]).unwrap();
    let refused =
        export(&log.at(10), &mut FolderTarget::open(folder.path()).unwrap(), &[other.verifier_key()]);
    assert!(matches!(refused, Err(ExportError::Checkpoint { .. })));
    assert!(!folder.path().join("checkpoint").exists());
}

/// Every file of the log in turn is damaged or missing: the round is refused, or the file is not one it needs.
#[test]
fn attack_no_file_that_does_not_belong_to_the_checkpoint_is_exported() {
    let log = Log::new(1_100, 0);
    let (mut refused, mut unneeded) = (0, 0);
    let (old, new) = (520, 1_000);
    for (number, (path, bytes)) in log.files(new).into_iter().enumerate() {
        let mut flipped = bytes.clone();
        let at = (number * 131) % bytes.len();
        flipped[at] ^= 1 << (number % 8);
        let longer = [bytes.clone(), vec![0]].concat();
        for instead in [Some(flipped), Some(longer), Some(Vec::new()), None] {
            let folder = tempfile::tempdir().unwrap();
            let mut target = FolderTarget::open(folder.path()).unwrap();
            export(&log.at(old), &mut target, &log.keys()).unwrap();
            let mut shelf = log.at(new);
            shelf.instead.insert(path.clone(), instead);
            match export(&shelf, &mut target, &log.keys()) {
                Err(_) => {
                    assert_eq!(log.verify(&mut target), Some(old), "{path}");
                    refused += 1;
                }
                Ok(_) => {
                    assert_eq!(log.verify(&mut target), Some(new), "{path} was exported damaged");
                    unneeded += 1;
                }
            }
        }
    }
    eprintln!(
        "{refused} damaged logs refused; {unneeded} times the damage was in a file that was there already"
    );
    assert!(refused > unneeded);
}

#[test]
fn a_roster_that_is_another_is_refused() {
    let log = Log::new(50, 0);
    let path = log.files(50).into_keys().find(|path| path.starts_with("roster/")).unwrap();
    let mut shelf = log.at(50);
    shelf.instead.insert(path.clone(), Some(b"{\"camera\":\"x\",\"slot\":0}\n".to_vec()));
    let folder = tempfile::tempdir().unwrap();
    let refused = export(&shelf, &mut FolderTarget::open(folder.path()).unwrap(), &log.keys()).unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("`{path}` of the log is not what its name says; it is not exported")
    );
    assert_ne!(path, format!("roster/{}", Digest::of(b"").hex()));
}
