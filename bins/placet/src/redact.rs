//! `placet redact`: from a command line to jobs, and from their outcomes to a report.

use std::collections::VecDeque;
use std::fs;
use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use placet_ingest::Tools;
use placet_ingest::picture::is_picture;
use placet_ingest::video::{Codec, CompareError, Container, side_by_side};
use placet_job::{
    Audio, JobError, Mode, Models, Names, OnFound, Outcome, Pending, Scores, Settings, Style, Verify,
    Watch as _, manifest_of, redact_picture, redact_video, timeline_of,
};
use placet_record::explain::timeline_svg;
use placet_record::manifest::{Manifest, UtcTime};
use placet_record::report::{self, FileReport, Report};
use placet_redaction::{Fill, Obscure, Shape, Target, TrackId};
use placet_tlog::note::SignerKey;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::args::{AudioArg, CodecArg, OnFoundArg, RedactArgs, ReplaceWith, TargetArg, VerifyArg};
use crate::exit::{self, Exit};
use crate::inputs::{self, Task};
use crate::manifests::counted;
use crate::progress::{STOP, Screen};
use crate::results::{Manifest as ManifestName, Results, Wanted, fill};
use crate::{Failure, keys, places, side};

/// How much of standard input comes between two looks at the space that is left.
const LOOK_AFTER: u64 = 16 << 20;
/// How long a watched file must keep its size before it is taken.
const SETTLE: Duration = Duration::from_secs(2);

/// Everything the files of a run share.
struct Run<'a> {
    args: &'a RedactArgs,
    settings: Settings,
    models: Models,
    tools: OnceLock<Result<Tools, String>>,
    key: Option<SignerKey>,
    screen: Screen,
    told_of_sound: AtomicBool,
    /// All inputs of a run that writes more than one output.
    inputs: OnceLock<Vec<PathBuf>>,
}

/// Runs the verb.
pub fn run(args: &RedactArgs) -> Result<Exit, Failure> {
    refuse_foreign(args)?;
    let settings = settings(args)?;
    let screen = Screen::new(args.quiet);
    for line in notices(args, &settings) {
        screen.say(&line);
    }
    placet_sys::process::return_large_memory();
    if let Err(e) = placet_sys::process::harden_process() {
        screen.say(&format!("warning: core files of this process could not be switched off: {e}"));
    }
    let key = match (&args.manifest, &args.key) {
        (Some(m), _) if m.as_os_str() == "none" => None,
        (_, Some(file)) => Some(keys::read(file)?),
        (_, None) => {
            let (key, made) = keys::own()?;
            if let Some(path) = made {
                screen.say(&format!(
                    "note: manifests are signed with a key made now, {}; its public half is {}",
                    path.display(),
                    key.verifier_key()
                ));
            }
            Some(key)
        }
    };
    let models = Models::open(&places::models(args.models.as_deref())).map_err(JobError::from)?;
    let run = Run {
        args,
        settings,
        models,
        tools: OnceLock::new(),
        key,
        screen,
        told_of_sound: AtomicBool::new(false),
        inputs: OnceLock::new(),
    };
    crate::progress::stop_in_order();
    if let Some(dir) = &args.watch {
        return run.watch(dir);
    }
    if args.input.iter().any(|i| i.as_os_str() == "-")
        || args.output.as_deref().is_some_and(|o| o.as_os_str() == "-")
    {
        return run.pipe();
    }
    run.batch()
}

impl Run<'_> {
    fn batch(&self) -> Result<Exit, Failure> {
        let tasks = inputs::resolve(&self.args.input, self.args.output.as_deref()).map_err(Failure::usage)?;
        let mut single = [&self.args.explain, &self.args.compare, &self.args.manifest].into_iter().flatten();
        if let Some(file) = single.find(|f| f.as_os_str() != "none").filter(|_| tasks.tasks.len() > 1) {
            return Err(Failure::Usage(format!(
                "`{}` is one file, and there are several inputs",
                file.display()
            )));
        }
        if !self.settings.keep_tracks.is_empty() && tasks.tasks.len() > 1 {
            return Err(Failure::Usage(
                "--keep-track names a track of one input, and there are several; run them one by one"
                    .to_owned(),
            ));
        }
        if let Some(first) = tasks.passed_over.first() {
            let (n, first) = (tasks.passed_over.len(), first.display());
            self.screen.say(&match n {
                1 => format!("note: {first} is no picture or video by its ending and is passed over"),
                n => format!(
                    "note: {n} files in the folder are no pictures or videos by their ending and are passed over, the \
                     first is {first}"
                ),
            });
        }
        self.tell_of_links(&tasks.links);
        let report_file = tasks.folder.as_ref().map(|dir| dir.join("placet-report.json"));
        if let Some(file) = report_file.as_ref().filter(|f| !self.args.overwrite && !is_report(f)) {
            return Err(Failure::Usage(format!(
                "`{}` is in the way of this run's report and is none of ours; move it, or overwrite it with -y",
                file.display()
            )));
        }
        // Set once: a run has one batch.
        let _ = self.inputs.set(tasks.tasks.iter().map(|t| t.input.clone()).collect());
        let (reports, exits) = self.all(&tasks.tasks);
        let skipped = |r: &&FileReport| matches!(r.outcome, report::Outcome::Skipped { .. });
        match reports.iter().filter(skipped).count() {
            0 => {}
            n => self
                .screen
                .say(&format!("{n} of {} were done before and are left as they are", tasks.tasks.len())),
        }
        let report = Report { files: reports };
        if let Some(file) = &report_file {
            write_whole(file, report.to_json().map_err(Failure::internal)?.as_bytes())?;
        }
        self.print(&report)?;
        Ok(exit::together(&exits))
    }

    fn tell_of_links(&self, links: &[PathBuf]) {
        let Some(first) = links.first() else { return };
        self.screen.say(&format!(
            "note: {} in the folder and not followed, the first is {}; name what it leads to, to have it redacted",
            match links.len() {
                1 => "1 link is".to_owned(),
                n => format!("{n} links are"),
            },
            first.display()
        ));
    }

    fn print(&self, report: &Report) -> Result<(), Failure> {
        if self.args.json {
            let json = report.to_json().map_err(Failure::internal)?;
            io::stdout().write_all(json.as_bytes()).map_err(|e| Failure::Io("standard output".into(), e))?;
        }
        Ok(())
    }

    fn all(&self, tasks: &[Task]) -> (Vec<FileReport>, Vec<Exit>) {
        let queue: Mutex<VecDeque<(usize, &Task)>> = Mutex::new(tasks.iter().enumerate().collect());
        let results: Mutex<Vec<(usize, FileReport, Exit)>> = Mutex::new(Vec::new());
        thread::scope(|scope| {
            for _ in 0..usize::from(self.args.jobs).min(tasks.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let next = queue.lock().ok().and_then(|mut q| q.pop_front());
                        let Some((idx, task)) = next else { break };
                        let (report, exit) = self.file(task);
                        if let Ok(mut all) = results.lock() {
                            all.push((idx, report, exit));
                        }
                        if STOP.load(Ordering::Relaxed) {
                            break;
                        }
                    }
                });
            }
        });
        let mut all = results.into_inner().unwrap_or_default();
        all.sort_by_key(|(idx, ..)| *idx);
        let (mut reports, mut exits) = (Vec::new(), Vec::new());
        for (_, report, exit) in all {
            reports.push(report);
            exits.push(exit);
        }
        if exits.len() < tasks.len() {
            exits.push(Exit::Failed);
        }
        (reports, exits)
    }

    /// One file, with its errors told.
    fn file(&self, task: &Task) -> (FileReport, Exit) {
        let started = Instant::now();
        let (outcome, exit) = match self.redact(task) {
            Ok(done) => (done, Exit::Done),
            Err(failure) => {
                let exit = failure.exit();
                self.screen.say(&format!("{}: error: {failure}", task.input.display()));
                let outcome = match exit {
                    Exit::Withheld => report::Outcome::Withheld { reason: failure.to_string() },
                    _ => report::Outcome::Failed { error: failure.to_string(), exit_code: exit as u8 },
                };
                (outcome, exit)
            }
        };
        let elapsed_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        (FileReport { input: task.input.display().to_string(), outcome, elapsed_ms }, exit)
    }

    fn redact(&self, task: &Task) -> Result<report::Outcome, Failure> {
        let manifest_path = match &self.args.manifest {
            Some(p) => p.clone(),
            None => beside(&task.output, ".manifest"),
        };
        if task.resumable && !self.args.overwrite && self.already_done(task, &manifest_path) {
            return Ok(report::Outcome::Skipped {
                reason: format!("`{}` is the result of this file with these settings", task.output.display()),
            });
        }
        if let Some(dir) = task.output.parent().filter(|d| task.resumable && !d.as_os_str().is_empty()) {
            fs::create_dir_all(dir).map_err(|e| Failure::Io(dir.display().to_string(), e))?;
        }
        let started = Instant::now();
        let name = task.input.display().to_string();
        let bar = self.screen.file(&name);
        let is_file = fs::metadata(&task.input).map_err(|e| Failure::Io(name.clone(), e))?.is_file();
        if !is_file {
            return Err(Failure::Usage(format!("`{name}` is not a file")));
        }
        // The comparison reads what the job read, whatever a link leads to by then.
        let source = task.input.canonicalize().map_err(|e| Failure::Io(name.clone(), e))?;
        let mut results = Results::claim(&Wanted {
            inputs: &self.inputs_beside(task),
            output: &task.output,
            manifest: self
                .key
                .is_some()
                .then(|| ManifestName { beside: self.args.manifest.is_none(), path: manifest_path.clone() }),
            explain: self.args.explain.as_deref(),
            compare: self.args.compare.as_deref(),
            overwrite: self.args.overwrite,
        })?;
        let outcome = self.job(&source, &mut results.output, &bar)?;
        let manifest = manifest_of(
            &outcome,
            &self.settings,
            &self.models,
            &Names {
                version: env!("CARGO_PKG_VERSION"),
                made_at: now(),
                input: &task.input,
                output: &task.output,
            },
        )?;
        self.kept_are_there(&outcome)?;
        if outcome.has_sound && self.args.audio.is_none() && !self.told_of_sound.swap(true, Ordering::Relaxed)
        {
            self.screen.say("note: sound is kept, and voices identify people; --audio drop leaves it out");
        }
        if let (Some(key), Some(pending)) = (&self.key, &mut results.manifest) {
            fill(pending, manifest.sign(key).map_err(Failure::internal)?.as_bytes())?;
        }
        if let Some(pending) = &mut results.explain {
            let title =
                task.input.file_name().map_or_else(|| name.clone(), |n| n.to_string_lossy().into_owned());
            let drawn = side::drawn(timeline_svg(&timeline_of(&outcome, &title)), pending.target())?;
            fill(pending, &drawn)?;
        }
        if let Some(pending) = &results.compare {
            let stop = || bar.cancelled();
            let (to, target) = (pending.path(), pending.target());
            match side_by_side(self.tools()?, &source, results.output.path(), to, target, &stop) {
                Ok(()) => bar.note("the side-by-side clip shows the faces; keep it as safe as the original"),
                Err(CompareError::Stopped) => return Err(JobError::Cancelled.into()),
                Err(e) => return Err(Failure::Failed(placet_job::chain(&e))),
            }
        }
        results.commit()?;
        drop(bar);
        self.screen.say(&summary(task, &outcome, started.elapsed()));
        Ok(report::Outcome::Done { output: task.output.display().to_string(), manifest: Box::new(manifest) })
    }

    /// Who asked for a track to stay visible meant one that is there.
    fn kept_are_there(&self, outcome: &Outcome) -> Result<(), Failure> {
        let tracks = &outcome.ledger.tracks;
        let Some(missing) = self.settings.keep_tracks.iter().find(|id| !tracks.contains_key(id)) else {
            return Ok(());
        };
        let known: Vec<String> = tracks.keys().take(20).map(|id| id.0.to_string()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        Err(Failure::Usage(format!(
            "there is no track {} to keep visible (tracks here: {known}); nothing was written. --label-tracks \
             writes the numbers on what hides",
            missing.0
        )))
    }

    /// The task's input and every other of the run.
    fn inputs_beside<'t>(&'t self, task: &'t Task) -> Vec<&'t Path> {
        let others = self.inputs.get().map(Vec::as_slice).unwrap_or_default();
        std::iter::once(task.input.as_path()).chain(others.iter().map(PathBuf::as_path)).collect()
    }

    fn job(
        &self,
        input: &Path,
        output: &mut Pending,
        bar: &dyn placet_job::Watch,
    ) -> Result<Outcome, Failure> {
        if is_picture(input).map_err(|source| JobError::Read { path: input.to_owned(), source })? {
            return Ok(redact_picture(&self.models, &self.settings, input, output, bar)?);
        }
        let tools = self.tools()?;
        Ok(redact_video(tools, &self.models, &self.settings, input, output, bar)?)
    }

    /// Found when the first video comes.
    fn tools(&self) -> Result<&Tools, Failure> {
        let found = self.tools.get_or_init(|| Tools::find().map_err(|e| placet_job::chain(&e)));
        found.as_ref().map_err(|e| Failure::Unavailable(e.clone()))
    }

    /// Whether an earlier run did this: its manifest, signed by our key, names these bytes and these settings.
    fn already_done(&self, task: &Task, manifest_path: &Path) -> bool {
        let check = || {
            let key = self.key.as_ref()?;
            let manifest = Manifest::open(&fs::read(manifest_path).ok()?, &[key.verifier_key()]).ok()?;
            let version = env!("CARGO_PKG_VERSION");
            let wanted = placet_job::same_work(&manifest, &self.settings, &self.models, version);
            let same = |path: &Path, digest| placet_job::digest_of(path).is_ok_and(|f| f.digest == digest);
            Some(
                wanted
                    && same(&task.input, manifest.input.digest)
                    && same(&task.output, manifest.output.digest),
            )
        };
        check().unwrap_or(false)
    }

    /// `-`: the input is kept in a private folder while it is read, the output until it is checked.
    fn pipe(&self) -> Result<Exit, Failure> {
        let dash = |p: &Path| p.as_os_str() == "-";
        let [input] = self.args.input.as_slice() else {
            return Err(Failure::Usage("a pipe takes exactly one input".to_owned()));
        };
        let to_stdout = self.args.output.as_deref().is_none_or(dash);
        if to_stdout && self.args.json {
            return Err(Failure::Usage(
                "--json and the output both want standard output; name a file with -o".to_owned(),
            ));
        }
        if to_stdout && io::stdout().is_terminal() {
            return Err(Failure::Usage(
                "the output would go to the terminal; send it on with > or name a file with -o".to_owned(),
            ));
        }
        let io_error = |what: &str| {
            let what = what.to_owned();
            move |e| Failure::Io(what, e)
        };
        let private =
            tempfile::Builder::new().prefix("placet-").tempdir().map_err(io_error("the temporary folder"))?;
        let source = if dash(input) {
            let path = private.path().join("standard-input");
            let mut file = fs::File::create(&path).map_err(io_error("the temporary folder"))?;
            let room = private.path().parent().unwrap_or(Path::new("/")).to_owned();
            if self.take_standard_input(&mut file, &room)? == 0 {
                return Err(Failure::Usage("standard input is empty".to_owned()));
            }
            path
        } else {
            input.clone()
        };
        let output = match &self.args.output {
            Some(o) if !dash(o) => o.clone(),
            // In the input's container, as far as that is written.
            _ => {
                let mut head = Vec::new();
                let read = fs::File::open(&source).and_then(|f| f.take(512).read_to_end(&mut head));
                read.map_err(io_error("the input"))?;
                let container = Container::of_content(&head).unwrap_or(Container::Mkv);
                let ending = container.extensions().first().copied().unwrap_or_default();
                private.path().join("standard-output").with_extension(ending)
            }
        };
        if to_stdout && self.args.manifest.is_none() {
            self.screen.say("note: a pipe leaves no manifest; --manifest FILE writes one");
        }
        let task = Task { input: source, output: output.clone(), resumable: false };
        let (report, exit) = self.file(&task);
        if exit == Exit::Done && to_stdout {
            let mut file = fs::File::open(&output).map_err(io_error("the temporary folder"))?;
            io::copy(&mut file, &mut io::stdout().lock()).map_err(io_error("standard output"))?;
        }
        self.print(&Report { files: vec![report] })?;
        Ok(exit)
    }

    /// Reads standard input to its end or an interrupt.
    fn take_standard_input(&self, file: &mut fs::File, folder: &Path) -> Result<u64, Failure> {
        let stdin = io::stdin();
        let mut stdin = stdin.lock();
        let (mut chunk, mut total, mut next_look) = (vec![0; 1 << 18], 0, 0);
        loop {
            if STOP.load(Ordering::Relaxed) {
                return Err(JobError::Cancelled.into());
            }
            let pause = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
            match poll(&mut [PollFd::new(&stdin, PollFlags::IN)], Some(&pause)) {
                Ok(0) | Err(Errno::INTR) => continue,
                Ok(_) => {}
                Err(e) => return Err(Failure::Io("standard input".into(), e.into())),
            }
            let n = stdin.read(&mut chunk).map_err(|e| Failure::Io("standard input".into(), e))?;
            if n == 0 {
                return Ok(total);
            }
            let read = chunk.get(..n).unwrap_or_default();
            let full = |total: u64| {
                Failure::Failed(format!(
                    "the temporary folder `{}` has no space for a copy of standard input, of which {} MB came so far; \
                     name a folder with more in TMPDIR, or give the input by its name",
                    folder.display(),
                    total / 1_000_000
                ))
            };
            // Room is left for the result, and for everybody else.
            if total >= next_look {
                next_look = total + LOOK_AFTER;
                if little_space(file) {
                    return Err(full(total));
                }
            }
            file.write_all(read).map_err(|e| match e.kind() {
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge => {
                    full(total)
                }
                _ => Failure::Io("the temporary folder".into(), e),
            })?;
            total += n as u64;
        }
    }

    /// Takes whatever appears in `dir` until stopped.
    fn watch(&self, dir: &Path) -> Result<Exit, Failure> {
        if !dir.is_dir() {
            return Err(Failure::Usage(format!("`{}` is no folder", dir.display())));
        }
        let out = self.args.output.as_deref().ok_or_else(|| Failure::Usage("--watch needs -o".to_owned()))?;
        // An output folder that cannot be is refused before it is made.
        inputs::folder(dir, out, &mut inputs::Tasks::default()).map_err(Failure::usage)?;
        fs::create_dir_all(out).map_err(|e| Failure::Io(out.display().to_string(), e))?;
        self.screen.say(&format!("watching {}; stop with Ctrl-C", dir.display()));
        let mut seen: std::collections::BTreeMap<PathBuf, Seen> = std::collections::BTreeMap::new();
        let mut exits = Vec::new();
        let mut linked = 0;
        while !STOP.load(Ordering::Relaxed) {
            let mut found = inputs::Tasks::default();
            inputs::folder(dir, out, &mut found).map_err(Failure::usage)?;
            if found.links.len() > linked {
                self.tell_of_links(&found.links);
                linked = found.links.len();
            }
            for task in found.tasks {
                let Some(state) = file_state(&task.input) else { continue };
                let settled = match seen.get(&task.input) {
                    Some(Seen::Taken(s)) if *s == state => continue,
                    Some(Seen::Growing(s, since)) if *s == state => since.elapsed() >= SETTLE,
                    _ => {
                        seen.insert(task.input.clone(), Seen::Growing(state, Instant::now()));
                        false
                    }
                };
                if settled {
                    let (report, exit) = self.file(&task);
                    if self.args.json {
                        self.print(&Report { files: vec![report] })?;
                    }
                    exits.push(exit);
                    seen.insert(task.input, Seen::Taken(state));
                }
            }
            thread::sleep(Duration::from_millis(300));
        }
        Ok(exit::together(&exits))
    }
}

/// Whether less than a twentieth of a file system is free, and less than 256 MB.
fn little_space(file: &fs::File) -> bool {
    rustix::fs::fstatvfs(file).is_ok_and(|s| {
        let free = s.f_bavail.saturating_mul(s.f_frsize);
        free < 256_000_000 && s.f_bavail < s.f_blocks / 20
    })
}

/// Whether a report may be written there: nothing is there, or an earlier report.
fn is_report(path: &Path) -> bool {
    match read_text(path, 64 << 20) {
        Err(e) => e.kind() == io::ErrorKind::NotFound,
        Ok(bytes) => serde_json::from_slice::<serde_json::Value>(&bytes)
            .is_ok_and(|v| v.get("files").is_some_and(|f| f.is_array()) && v.get("summary").is_some()),
    }
}

/// What is known of a file in a watched folder.
enum Seen {
    Growing((u64, SystemTime), Instant),
    Taken((u64, SystemTime)),
}

fn file_state(path: &Path) -> Option<(u64, SystemTime)> {
    let meta = fs::metadata(path).ok()?;
    Some((meta.len(), meta.modified().ok()?))
}

/// Now, by the system's clock.
pub fn now() -> UtcTime {
    let seconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs());
    UtcTime::from_unix_seconds(seconds).or_else(|| UtcTime::from_unix_seconds(0)).expect("1970 is a year")
}

/// The name with something after it.
pub fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(suffix);
    path.with_file_name(name)
}

/// Writes a small file whole or not at all.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_small(path, bytes, true)
}

/// The same where nothing is there yet.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_small(path, bytes, false)
}

fn write_small(path: &Path, bytes: &[u8], overwrite: bool) -> Result<(), Failure> {
    let mut pending = Pending::claim(path, &[], overwrite).map_err(JobError::from)?;
    pending.file().write_all(bytes).map_err(|e| Failure::Io(path.display().to_string(), e))?;
    pending.commit().map_err(JobError::from)?;
    Ok(())
}

fn summary(task: &Task, o: &Outcome, took: Duration) -> String {
    let l = &o.ledger;
    let hidden = l.tracks.values().filter(|t| !t.kept).count();
    let kept = l.tracks.len() - hidden;
    let mut faces = match hidden {
        0 if kept > 0 => "no other face found".to_owned(),
        0 => "no face found".to_owned(),
        n if o.frames > 1 => format!("{} hidden", counted(n as u64, "track")),
        n => format!("{} hidden", counted(n as u64, "face")),
    };
    if kept > 0 {
        faces.push_str(&format!(", {kept} left visible as asked"));
    }
    let mut line = format!("{} -> {}: {faces}", task.input.display(), task.output.display());
    if o.frames > 1 {
        let rate = o.frames as f64 / took.as_secs_f64().max(1e-3);
        line.push_str(&format!(", {} frames in {:.1} s ({rate:.1} frames/s)", o.frames, took.as_secs_f64()));
    }
    let whole = l.whole_frames();
    if whole > 0 {
        line.push_str(&match whole {
            1 => ", 1 frame could not be judged and is covered whole".to_owned(),
            n => format!(", {n} frames could not be judged and are covered whole"),
        });
    }
    match l.checked_frames() {
        0 => line.push_str(", not checked"),
        n => line.push_str(&format!(
            ", {:.0} % of frames checked, {} found and covered",
            100.0 * n as f64 / o.frames.max(1) as f64,
            counted(l.check_found, "more sighting")
        )),
    }
    line
}

fn refuse_foreign(args: &RedactArgs) -> Result<(), Failure> {
    let f = &args.foreign;
    let why = match args.replacewith {
        ReplaceWith::None => {
            Some("--replacewith none would hide nothing; leave one person visible with --keep-track")
        }
        ReplaceWith::Img => Some("--replacewith img is not offered; use surround or solid"),
        _ => None,
    };
    let why = why.or_else(|| {
        f.preview.then_some("--preview would show clear faces on the screen; use --explain or --compare")
    });
    let why = why.or_else(|| f.draw_scores.then_some("--draw-scores is not offered; scores are in --json"));
    let why = why.or_else(|| {
        f.replaceimg.is_some().then_some("--replaceimg is not offered; use --replacewith surround or solid")
    });
    let why = why.or_else(|| {
        f.ffmpeg_config.is_some().then_some("--ffmpeg-config is not offered; use --codec, --preset and --crf")
    });
    why.map_or(Ok(()), |why| Err(Failure::Usage(why.to_owned())))
}

fn settings(args: &RedactArgs) -> Result<Settings, Failure> {
    let verify = match (args.verify, args.fast) {
        (Some(VerifyArg::None), _) | (None, true) => Verify::None,
        (Some(VerifyArg::Sample), _) | (None, false) => Verify::Sample,
        (Some(VerifyArg::Full), _) => Verify::Full,
    };
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let standard = Scores::default();
    // Whoever looks less closely must believe fainter sightings.
    let strong = args.thresh.unwrap_or(if args.fast { 0.4 } else { standard.strong });
    Ok(Settings {
        mode: if args.fast { Mode::Fast } else { Mode::Thorough },
        scores: Scores { strong, weak: standard.weak.min(strong), check: args.check_thresh },
        detector_size: args.scale,
        target: match args.target {
            TargetArg::Face => Target::Face,
            TargetArg::Head => Target::Head,
        },
        mask_scale: args.mask_scale,
        shape: if args.boxes { Shape::Box } else { Shape::Ellipse },
        style: match args.replacewith {
            ReplaceWith::Surround | ReplaceWith::None | ReplaceWith::Img => Style::Fill(Fill::Surround),
            ReplaceWith::Solid => Style::Fill(Fill::Solid(args.color)),
            ReplaceWith::Blur => Style::Obscure(Obscure::Blur),
            ReplaceWith::Mosaic => Style::Obscure(Obscure::Mosaic { size: args.mosaicsize }),
        },
        verify,
        on_found: match args.on_found {
            OnFoundArg::Cover => OnFound::Cover,
            OnFoundArg::Withhold => OnFound::Withhold,
        },
        audio: match args.audio {
            Some(AudioArg::Drop) => Audio::Drop,
            Some(AudioArg::Keep) | None => Audio::Keep,
        },
        keep_metadata: args.keep_metadata,
        keep_tracks: args.keep_track.iter().map(|&n| TrackId(u64::from(n))).collect(),
        manual: args.region.clone(),
        codec: args.codec.map(|c| match c {
            CodecArg::H264 => Codec::H264,
            CodecArg::H265 => Codec::H265,
            CodecArg::Vp9 => Codec::Vp9,
            CodecArg::Av1 => Codec::Av1,
        }),
        preset: args.preset.clone(),
        crf: args.crf,
        copy_clean: args.copy_clean,
        label_tracks: args.label_tracks,
        threads: (cores / usize::from(args.jobs)).max(1),
    })
}

/// Lines said once a run.
fn notices(args: &RedactArgs, settings: &Settings) -> Vec<String> {
    let mut lines = Vec::new();
    if matches!(settings.style, Style::Obscure(_)) {
        lines.push(
            "warning: blur and mosaic can be undone by published attacks; the manifest says reversible"
                .to_owned(),
        );
    }
    let from_deface =
        args.keep_audio || args.foreign.backend.is_some() || args.foreign.execution_provider.is_some();
    if from_deface || args.thresh.is_some() {
        lines.push(
            "note: other than deface: scores are another detector's (its 0.2 is about 0.5 here), sound is kept by \
             default, faces are hidden over their whole track, --replacewith none is refused, backends are not chosen"
                .to_owned(),
        );
    }
    if settings.keep_metadata {
        lines.push(
            "note: -m keeps place and device metadata; thumbnails are left out all the same".to_owned(),
        );
    }
    lines
}

/// Reads a small text file whole.
pub fn read_text(path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}
