//! The log: opened with recovery, written by one writer.

use std::sync::{Arc, PoisonError, RwLock};

use placet_tlog::checkpoint::{Checkpoint, CheckpointError, Origin};
use placet_tlog::merkle::{Frontier, Hash, root};
use placet_tlog::note::{SignerKey, VerifierKey};
use placet_tlog::tile::MAX_ENTRY;

use crate::derived::{Additions, Derived};
use crate::disk::Disk;
use crate::error::{Damage, StoreError};
use crate::frame::{self, Batch, Checksum, MAX_FRAME};
use crate::fsck::judge_note;
use crate::mark::{Mark, MarkFile};
use crate::reader::{Reader, Shared, View};
use crate::segment::{self, CHANNELS, Content, DATA, Header, Segment};

/// How long a segment is, unless a log is made otherwise.
pub const SPAN: u64 = 64 << 20;

/// The shortest a segment can be.
pub const MIN_SPAN: u64 = 64 << 10;

/// The longest note of a checkpoint: what is kept free for it in a frame.
const MAX_NOTE: usize = 8 << 10;

/// Who signs the log. Keys may change; which one is in force at a size is the signer's affair.
pub trait Signer: Send {
    /// The log's name.
    fn origin(&self) -> &Origin;

    /// The signed checkpoint.
    ///
    /// # Errors
    /// If there is no key for it.
    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, CheckpointError>;

    /// Every key that signed this log at some time.
    fn keys(&self) -> Vec<VerifierKey>;
}

impl Signer for SignerKey {
    fn origin(&self) -> &Origin {
        self.name()
    }

    fn sign(&self, checkpoint: &Checkpoint) -> Result<String, CheckpointError> {
        checkpoint.sign(self)
    }

    fn keys(&self) -> Vec<VerifierKey> {
        vec![self.verifier_key()]
    }
}

/// The disks of a log.
#[derive(Clone)]
pub struct Disks {
    /// Where the log is.
    pub log: Arc<dyn Disk>,
    /// Where its high-water mark is: the same, or better, another one.
    pub mark: Arc<dyn Disk>,
}

impl Disks {
    /// Log and mark on one disk.
    pub fn one(disk: Arc<dyn Disk>) -> Self {
        Self { log: Arc::clone(&disk), mark: disk }
    }
}

/// What opening a log found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovered {
    /// How many entries there are.
    pub size: u64,
    /// Whether a batch had been begun that nobody was told of; it is gone.
    pub torn: bool,
    /// Whether tiles had to be made again from all frames.
    pub rebuilt: bool,
}

/// What an append did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The index of the first entry.
    pub first: u64,
    /// The signed checkpoint that covers it; as a text, without cosignatures.
    pub note: Arc<str>,
}

/// A log that can be written.
pub struct Log<S> {
    disks: Disks,
    signer: S,
    segment: Segment,
    state: Additions,
    before: Checksum,
    derived: Arc<Derived>,
    mark: MarkFile,
    shared: Arc<Shared>,
    buffer: Vec<u8>,
    stopped: Option<(&'static str, String)>,
    _lock: Box<dyn Send + Sync>,
}

impl<S: Signer> Log<S> {
    /// Makes a log without entries in a folder that has none. `span` is [`SPAN`] unless there is a reason.
    ///
    /// # Errors
    /// If there is a log already, or the disk refuses.
    pub fn create(disks: Disks, signer: S, span: u64) -> Result<Self, StoreError> {
        let lock = lock(&disks)?;
        let names = disks.log.list().map_err(StoreError::io("list", "the folder"))?;
        if segment::numbers(&names)? > 0 {
            return Err(StoreError::Exists);
        }
        let root = Hash::of_nothing();
        let (mut mark, _) = MarkFile::open(disks.mark.as_ref()).map_err(StoreError::io("open", "mark"))?;
        let set = mark.write(Mark { size: 0, root }).and_then(|()| mark.sync());
        set.map_err(StoreError::io("write", "mark"))?;
        let derived = Derived::open(disks.log.as_ref())?;
        let span = span.max(MIN_SPAN);
        let header = Header { number: 0, span, first: 0, root, before: [0; 16], blobs: [0; CHANNELS] };
        let segment = Segment::create(disks.log.as_ref(), header)?;
        let state = Additions::after(Frontier::default(), [0; CHANNELS]);
        Ok(Self::assemble(disks, signer, (segment, [0; 16], None), state, derived, mark, lock))
    }

    /// Opens a log: finds its end, and does not go on if anything that was acknowledged could be lost or changed.
    ///
    /// # Errors
    /// If there is no log, somebody else has it, it is damaged, or it ends below its high-water mark.
    pub fn open(disks: Disks, signer: S) -> Result<(Self, Recovered), StoreError> {
        let lock = lock(&disks)?;
        let derived = Derived::open(disks.log.as_ref())?;
        let found = Found::look(&disks, &derived)?;
        let keys = signer.keys();
        if let Some(note) = &found.note {
            judge_note(note, &found.state.frontier, &keys)?;
        }
        let (mark_file, mark) =
            MarkFile::open(disks.mark.as_ref()).map_err(StoreError::io("open", "mark"))?;
        let size = found.state.frontier.size();
        let Found { segment, before, note, state, recovered } = found;
        let mut log = Self::assemble(disks, signer, (segment, before, note), state, derived, mark_file, lock);
        log.above(mark.ok_or(Damage::MarkLost { size })?)?;
        log.move_mark(log.state.frontier.root())?;
        log.mark.sync().map_err(StoreError::io("sync", "mark"))?;
        Ok((log, recovered))
    }

    /// Sets a lost high-water mark to where the log stands, on an operator's word that no witness has seen more.
    ///
    /// # Errors
    /// If the log cannot be opened for another reason than the lost mark.
    pub fn set_mark(disks: Disks, signer: S) -> Result<Self, StoreError> {
        let lock = lock(&disks)?;
        let derived = Derived::open(disks.log.as_ref())?;
        let found = Found::look(&disks, &derived)?;
        if let Some(note) = &found.note {
            judge_note(note, &found.state.frontier, &signer.keys())?;
        }
        let (file, mark) = MarkFile::open(disks.mark.as_ref()).map_err(StoreError::io("open", "mark"))?;
        let Found { segment, before, note, state, .. } = found;
        let mut log = Self::assemble(disks, signer, (segment, before, note), state, derived, file, lock);
        if let Some(mark) = mark {
            log.above(mark)?;
        }
        log.move_mark(log.state.frontier.root())?;
        log.mark.sync().map_err(StoreError::io("sync", "mark"))?;
        Ok(log)
    }

    fn assemble(
        disks: Disks,
        signer: S,
        (segment, before, note): (Segment, Checksum, Option<Arc<str>>),
        state: Additions,
        derived: Derived,
        mark: MarkFile,
        lock: Box<dyn Send + Sync>,
    ) -> Self {
        let derived = Arc::new(derived);
        let view = View {
            size: state.frontier.size(),
            note,
            blobs: state.blobs,
            newest: (segment.header.number, Arc::clone(segment.file())),
        };
        let shared = Arc::new(Shared {
            disk: Arc::clone(&disks.log),
            derived: Arc::clone(&derived),
            span: segment.header.span,
            view: RwLock::new(view),
        });
        let (buffer, stopped) = (Vec::new(), None);
        Self { disks, signer, segment, state, before, derived, mark, shared, buffer, stopped, _lock: lock }
    }

    /// How many entries there are.
    pub fn size(&self) -> u64 {
        self.state.frontier.size()
    }

    /// How many blobs a channel has.
    pub fn blobs(&self, channel: u8) -> u64 {
        self.state.blobs.get(usize::from(channel)).copied().unwrap_or(0)
    }

    /// Who signs.
    pub fn signer(&mut self) -> &mut S {
        &mut self.signer
    }

    /// A reader of everything that is durable, now and later, from any thread.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// Whether a batch could be written, were it the next.
    ///
    /// # Errors
    /// If it is empty, or has something too long.
    pub fn fits(&self, batch: &Batch) -> Result<(), StoreError> {
        if batch.entries.is_empty() {
            return Err(StoreError::Batch("a batch has at least one entry"));
        }
        if batch.entries.iter().any(|e| e.len() > MAX_ENTRY) {
            return Err(StoreError::Batch("an entry has at most 65,535 bytes"));
        }
        if batch.blobs.iter().any(|(channel, _)| usize::from(*channel) >= CHANNELS) {
            return Err(StoreError::Batch("there are four channels of side files, 0 to 3"));
        }
        if batch.frame_bytes() > self.most() {
            return Err(StoreError::Batch(
                "a batch with its side files has at most 16 MiB, and less than a segment",
            ));
        }
        Ok(())
    }

    /// How many bytes the frame of a batch may have without its note.
    pub(crate) fn most(&self) -> usize {
        let room = usize::try_from(self.segment.header.span.saturating_sub(DATA)).unwrap_or(usize::MAX);
        room.min(MAX_FRAME).saturating_sub(MAX_NOTE)
    }

    /// Writes a batch: when this returns, it is on the disk, under a signed checkpoint, and can be read.
    ///
    /// # Errors
    /// [`StoreError::Batch`] if the batch cannot be written, and the log goes on. After any other the log has stopped: what
    /// is on the disk is found out by opening it again.
    pub fn append(&mut self, batch: &Batch) -> Result<Receipt, StoreError> {
        if let Some((what, name)) = &self.stopped {
            return Err(StoreError::Stopped { what, name: name.clone() });
        }
        self.fits(batch)?;
        let outcome = self.try_append(batch);
        if let Err(error) = &outcome {
            self.stopped = Some(match error {
                StoreError::Io { what, name, .. } => (what, name.clone()),
                _ => ("write", "a batch".to_owned()),
            });
        }
        outcome
    }

    fn try_append(&mut self, batch: &Batch) -> Result<Receipt, StoreError> {
        let first = self.size();
        // How long the note is shows when it is signed, which is when all entries have their places.
        self.make_room(batch.frame_bytes() + MAX_NOTE)?;
        let (frontier, blobs) = (self.state.frontier.clone(), self.state.blobs);
        self.state.batch(batch, self.segment.position());
        let root = self.state.frontier.root();
        let note = self.sign(root).inspect_err(|_| self.state = Additions::after(frontier, blobs))?;
        self.before = frame::write(&mut self.buffer, first, batch, self.before, &note);
        let written = self.segment.append(&self.buffer);
        written.map_err(StoreError::io("write", segment::name(self.segment.header.number)))?;
        self.derived.write(&self.state)?;
        self.state.written();
        self.move_mark(root)?;
        self.publish(&note);
        Ok(Receipt { first, note })
    }

    /// The signed checkpoint of all that is in the state.
    fn sign(&self, root: Hash) -> Result<Arc<str>, StoreError> {
        let checkpoint = Checkpoint { origin: self.signer.origin().clone(), size: self.size(), root };
        let note = self.signer.sign(&checkpoint)?;
        if note.len() > MAX_NOTE {
            return Err(StoreError::Batch("a signed checkpoint has at most 8 KiB"));
        }
        Ok(note.into())
    }

    /// Begins a new segment if a frame of `length` bytes does not fit into this one.
    fn make_room(&mut self, length: usize) -> Result<(), StoreError> {
        if self.segment.fits(length) {
            return Ok(());
        }
        // The next opening begins at the new segment, and believes the derived files up to there.
        self.derived.sync()?;
        let header = Header {
            number: self.segment.header.number + 1,
            span: self.segment.header.span,
            first: self.size(),
            root: self.state.frontier.root(),
            before: self.before,
            blobs: self.state.blobs,
        };
        self.segment = Segment::create(self.disks.log.as_ref(), header)?;
        Ok(())
    }

    /// Moves the mark to where the state is, whose root this is.
    fn move_mark(&mut self, root: Hash) -> Result<(), StoreError> {
        let mark = Mark { size: self.size(), root };
        self.mark.write(mark).map_err(StoreError::io("write", "mark"))
    }

    fn publish(&self, note: &Arc<str>) {
        let mut view = self.shared.view.write().unwrap_or_else(PoisonError::into_inner);
        view.size = self.size();
        view.note = Some(Arc::clone(note));
        view.blobs = self.state.blobs;
        view.newest = (self.segment.header.number, Arc::clone(self.segment.file()));
    }

    /// Refuses to go on below what was signed already.
    fn above(&self, mark: Mark) -> Result<(), StoreError> {
        let size = self.size();
        if size < mark.size {
            return Err(Damage::Rollback { size, mark: mark.size }.into());
        }
        if root(&mut self.reader().nodes(size), mark.size)? != mark.root {
            return Err(Damage::Fork { size: mark.size }.into());
        }
        Ok(())
    }
}

impl<S> Drop for Log<S> {
    fn drop(&mut self) {
        // A mark that lags is no danger; the next opening moves it.
        drop(self.mark.sync());
    }
}

fn lock(disks: &Disks) -> Result<Box<dyn Send + Sync>, StoreError> {
    disks.log.lock("lock").map_err(StoreError::io("lock", "lock"))?.ok_or(StoreError::Locked)
}

/// What lies on the disk, up to the last whole frame.
struct Found {
    segment: Segment,
    before: Checksum,
    note: Option<Arc<str>>,
    state: Additions,
    recovered: Recovered,
}

impl Found {
    fn look(disks: &Disks, derived: &Derived) -> Result<Self, StoreError> {
        let disk = disks.log.as_ref();
        let names = disk.list().map_err(StoreError::io("list", "the folder"))?;
        let segments = segment::numbers(&names)?;
        let Some(last) = segments.checked_sub(1) else { return Err(StoreError::NotALog) };
        (0..last).try_for_each(|number| Header::load(disk, number).map(drop))?;
        let (content, file) = Content::load(disk, last)?;
        let header = content.header.clone();
        let believed = begin(derived, &header).filter(|frontier| frontier.root() == header.root);
        let rebuilt = believed.is_none();
        let (frontier, note_before) = match believed {
            // The frame before the segment has the note, if the segment has none yet.
            Some(frontier) => (frontier, None),
            None => rebuild(disk, derived, last)?,
        };
        let mut state = Additions::after(frontier, header.blobs);
        if state.frontier.size() != header.first || state.frontier.root() != header.root {
            return Err(Damage::Header { number: last }.into());
        }
        let mut note = note_before;
        let mut walk = Walk { before: header.before, at: DATA };
        while let Some(frame) = content.frame(walk.at, state.frontier.size(), walk.before)? {
            state.frame(&frame, last * header.span + walk.at);
            note = Some(frame.note.into());
            walk.step(&frame);
        }
        derived.write(&state)?;
        state.written();
        let end = content.end(walk.at)?;
        let recovered = Recovered { size: state.frontier.size(), torn: end.torn, rebuilt };
        if note.is_none() && last > 0 {
            note = Some(last_note(disk, last - 1)?);
        }
        let segment = content.reopen(file, end)?;
        Ok(Self { segment, before: walk.before, note, state, recovered })
    }
}

/// Where a reader of a segment is.
pub struct Walk {
    pub before: Checksum,
    pub at: u64,
}

impl Walk {
    pub fn step(&mut self, frame: &frame::Frame<'_>) {
        self.before = frame.checksum;
        self.at += frame.length as u64;
    }
}

/// The tree before a segment, by the derived files; none if they do not have it.
fn begin(derived: &Derived, header: &Header) -> Option<Frontier> {
    if !derived.reach(header.first, &header.blobs) {
        return None;
    }
    Frontier::at(&mut crate::reader::nodes(derived, header.first), header.first).ok()
}

/// Makes the derived files anew from the segments before `last`.
fn rebuild(
    disk: &dyn Disk,
    derived: &Derived,
    last: u64,
) -> Result<(Frontier, Option<Arc<str>>), StoreError> {
    let mut state = Additions::after(Frontier::default(), [0; CHANNELS]);
    let mut note = None;
    for number in 0..last {
        let (content, _) = Content::load(disk, number)?;
        let end = replay(&content, &mut state, |frame, _| {
            note = Some(frame.note.into());
            Ok(())
        })?;
        if content.end(end)?.torn {
            return Err(Damage::Unreadable { number, offset: end }.into());
        }
        derived.write(&state)?;
        state.written();
    }
    derived.sync()?;
    Ok((state.frontier, note))
}

/// Goes through the frames of a segment, whose header must follow `state`, and adds them to it. The end of the last frame.
pub fn replay(
    content: &Content,
    state: &mut Additions,
    mut seen: impl FnMut(&frame::Frame<'_>, &Frontier) -> Result<(), StoreError>,
) -> Result<u64, StoreError> {
    let header = &content.header;
    if header.first != state.frontier.size()
        || header.root != state.frontier.root()
        || header.blobs != state.blobs
    {
        return Err(Damage::Header { number: header.number }.into());
    }
    let mut walk = Walk { before: header.before, at: DATA };
    while let Some(frame) = content.frame(walk.at, state.frontier.size(), walk.before)? {
        state.frame(&frame, header.number * header.span + walk.at);
        seen(&frame, &state.frontier)?;
        walk.step(&frame);
    }
    Ok(walk.at)
}

/// The checkpoint in the last frame of a segment.
fn last_note(disk: &dyn Disk, number: u64) -> Result<Arc<str>, StoreError> {
    let (content, _) = Content::load(disk, number)?;
    let mut walk = Walk { before: content.header.before, at: DATA };
    let (mut size, mut note) = (content.header.first, None);
    while let Some(frame) = content.frame(walk.at, size, walk.before)? {
        size += frame.entries.len() as u64;
        note = Some(frame.note.into());
        walk.step(&frame);
    }
    note.ok_or_else(|| Damage::Unreadable { number, offset: walk.at }.into())
}
