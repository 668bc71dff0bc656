//! `placet manifest`: is a manifest genuine, and do these files belong to it?

use std::path::Path;

use placet_record::manifest::{FIRST_LINE, FileRecord, Manifest};
use placet_tlog::note::VerifierKey;

use crate::args::ManifestArgs;
use crate::exit::Exit;
use crate::{Failure, inputs, keys, places, redact};

/// Runs the verb.
pub fn run(args: &ManifestArgs) -> Result<Exit, Failure> {
    let key = verifier(args.key.as_deref())?;
    let bytes = redact::read_text(&args.file, 4 << 20)
        .map_err(|e| Failure::Usage(format!("cannot read `{}`: {e}", args.file.display())))?;
    if !bytes.starts_with(FIRST_LINE.as_bytes()) && inputs::is_media(&args.file) {
        return Err(Failure::Usage(format!(
            "`{0}` is no manifest; the one of a result lies beside it, as `{0}.manifest`",
            args.file.display()
        )));
    }
    let manifest = match Manifest::open(&bytes, std::slice::from_ref(&key)) {
        Ok(m) => m,
        Err(e) => {
            eprintln!("not genuine: {}", placet_job::chain(&e));
            return Ok(Exit::Invalid);
        }
    };
    let mut exit = Exit::Done;
    let mut lines = vec![format!("signed by {key}")];
    for (what, file, record) in
        [("input", &args.input, &manifest.input), ("output", &args.output, &manifest.output)]
    {
        let Some(file) = file else { continue };
        let same = matches(file, record)?;
        lines.push(format!(
            "{what} {}: {}",
            file.display(),
            if same { "the one of the manifest" } else { "ANOTHER FILE" }
        ));
        if !same {
            exit = Exit::Invalid;
        }
    }
    if args.json {
        print!("{}", manifest.to_json().map_err(Failure::internal)?);
        lines.iter().for_each(|l| eprintln!("{l}"));
        return Ok(exit);
    }
    lines.iter().for_each(|l| println!("{l}"));
    println!(
        "{} -> {}, made {} by {}",
        manifest.input.name.as_str(),
        manifest.output.name.as_str(),
        manifest.made_at,
        manifest.tool_version.as_str()
    );
    let kept = manifest.settings.tracks_left_visible.len() as u64;
    let left = if kept > 0 { format!(", {kept} left visible") } else { String::new() };
    println!(
        "{}, {} hidden{left}, {} covered whole, {} copied",
        counted(manifest.media.frames, "frame"),
        counted(manifest.tracks.count().saturating_sub(kept), "face"),
        counted(manifest.frames.covered_whole, "frame"),
        manifest.frames.copied
    );
    for s in manifest.statements() {
        println!("- {}", s.sentence());
    }
    Ok(exit)
}

/// `1 face`, `2 faces`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// The key that was named, in words or by a file, or one's own.
pub fn verifier(named: Option<&str>) -> Result<VerifierKey, Failure> {
    let Some(named) = named else {
        // One's own manifests.
        return Ok(keys::read(&places::own_key())?.verifier_key());
    };
    let text = if Path::new(named).is_file() {
        let bytes =
            redact::read_text(Path::new(named), 4096).map_err(|e| Failure::Io(named.to_owned(), e))?;
        String::from_utf8_lossy(&bytes).trim().to_owned()
    } else {
        named.to_owned()
    };
    text.parse().map_err(|e: placet_tlog::note::KeyError| {
        Failure::Usage(format!(
            "`{named}` is no public key as `placet key show` prints it: {}",
            placet_job::chain(&e)
        ))
    })
}

fn matches(file: &Path, record: &FileRecord) -> Result<bool, Failure> {
    let facts = placet_job::digest_of(file).map_err(|e| Failure::Io(file.display().to_string(), e))?;
    Ok(facts.digest == record.digest && facts.bytes == record.bytes)
}
