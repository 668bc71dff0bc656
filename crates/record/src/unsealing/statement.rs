use placet_core::Digest;
use placet_tlog::checkpoint::Origin;
use placet_tlog::note::{self, NoteError, SignerKey, VerifierKey};

use crate::entry::{CameraId, EventId, Fields, FormError, Ground, Json, Moment, demand_canonical};
use crate::spelt::spelt;

/// The first line of a statement.
const FIRST_LINE: &str = "placet/unsealing/v1";

/// Bytes of a statement's JSON.
const MAX_JSON: usize = 16_384;

/// The most gaps that are listed one by one.
pub const MAX_GAPS: usize = 64;

spelt! {
    /// Why there is nothing for a while.
    Why {
        /// Nothing was sealed, or it is gone.
        NotThere = "not_there",
        /// The first pictures need one from before what was ordered.
        NoKeyFrame = "no_key_frame",
        /// What sealed it was stopped.
        Torn = "torn",
        /// It was changed, moved or could not be read.
        Damaged = "damaged",
    }
}

/// A while of what was ordered for which there is nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Milliseconds of UTC since 1970 at which it begins.
    pub from_ms: u64,
    /// And at which it ends.
    pub until_ms: u64,
    /// Why.
    pub why: Why,
}

/// All gaps: counted, and the first of them listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Gaps {
    count: u64,
    listed: Vec<Gap>,
}

impl Gaps {
    /// One more.
    pub fn push(&mut self, gap: Gap) {
        self.count += 1;
        if self.listed.len() < MAX_GAPS {
            self.listed.push(gap);
        }
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The first [`MAX_GAPS`].
    pub fn listed(&self) -> &[Gap] {
        &self.listed
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clip {
    /// SHA-256 of the clip.
    pub digest: Digest,
    /// SHA-256 of the clip's redaction manifest.
    pub manifest: Digest,
    /// Pictures that were opened.
    pub pictures: u64,
    /// Segments they came from.
    pub segments: u64,
}

/// What whoever opened a sealed original signs for: which order, which entry of which log came first, what came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// When it was made.
    pub at: Moment,
    /// The order.
    pub order: Digest,
    /// The log that said so first.
    pub log: Origin,
    /// The index of the entry.
    pub entry: u64,
    /// The entry's event.
    pub event: EventId,
    /// Whose original.
    pub camera: CameraId,
    /// The first second that was ordered.
    pub from: Moment,
    /// The second after the last.
    pub until: Moment,
    /// Why.
    pub ground: Ground,
    /// Face tracks that were left visible, ascending.
    pub kept: Vec<u64>,
    /// The clip.
    pub clip: Clip,
    /// What there was nothing for.
    pub gaps: Gaps,
}

impl Statement {
    /// The statement as a signed note.
    ///
    /// # Errors
    /// If a value is out of its range.
    pub fn sign(&self, key: &SignerKey) -> Result<String, StatementError> {
        Ok(note::sign(&self.text()?, &[key])?)
    }

    /// Opens a signed statement: the signature of one of `keys`, the form, and every value.
    ///
    /// # Errors
    /// Whatever differs from what [`Statement::sign`] writes, be it one byte.
    pub fn open(bytes: &[u8], keys: &[VerifierKey]) -> Result<Self, StatementError> {
        let note = note::open(bytes, keys)?;
        let json = note.text().strip_prefix(FIRST_LINE).and_then(|rest| rest.strip_prefix('\n'));
        let json = json.and_then(|json| json.strip_suffix('\n')).ok_or(StatementError::FirstLine)?;
        let statement = Self::read(json.as_bytes())?;
        demand_canonical(note.text().as_bytes(), statement.text()?.as_bytes())?;
        Ok(statement)
    }

    fn text(&self) -> Result<String, FormError> {
        self.check()?;
        let gap = |gap: &Gap| {
            Json::Object(Json::object([
                ("from_ms", Json::Int(gap.from_ms)),
                ("until_ms", Json::Int(gap.until_ms)),
                ("why", Json::text(gap.why.key())),
            ]))
        };
        let json = Json::Object(Json::object([
            ("v", Json::Int(1)),
            ("t", Json::text(self.at)),
            ("order", Json::bytes(&self.order.0)),
            ("log", Json::text(&self.log)),
            ("entry", Json::Int(self.entry)),
            ("event", Json::bytes(&self.event.0)),
            ("camera", Json::text(&self.camera)),
            ("from", Json::text(self.from)),
            ("until", Json::text(self.until)),
            ("ground", Json::text(self.ground.key())),
            ("kept", Json::List(self.kept.iter().copied().map(Json::Int).collect())),
            ("clip", Json::bytes(&self.clip.digest.0)),
            ("manifest", Json::bytes(&self.clip.manifest.0)),
            ("pictures", Json::Int(self.clip.pictures)),
            ("segments", Json::Int(self.clip.segments)),
            ("gap_count", Json::Int(self.gaps.count)),
            ("gaps", Json::List(self.gaps.listed.iter().map(gap).collect())),
        ]));
        let json = json.canonical(MAX_JSON)?;
        Ok(format!("{FIRST_LINE}\n{}\n", String::from_utf8_lossy(&json)))
    }

    fn read(json: &[u8]) -> Result<Self, FormError> {
        let mut fields = Fields::of(Json::read(json, MAX_JSON)?, "", "")?;
        fields.version()?;
        let kept = fields.list("kept")?.into_iter().map(|track| match track {
            Json::Int(track) => Some(track),
            _ => None,
        });
        let kept = kept.collect::<Option<Vec<u64>>>();
        let listed = fields.list("gaps")?.into_iter().map(|gap| {
            let mut fields = Fields::of(gap, "gaps", "gaps.")?;
            let gap = Gap {
                from_ms: fields.int("from_ms")?,
                until_ms: fields.int("until_ms")?,
                why: fields.read("why", "is none of the reasons", Why::from_key)?,
            };
            fields.end()?;
            Ok(gap)
        });
        let listed = listed.collect::<Result<Vec<Gap>, FormError>>()?;
        let statement = Self {
            at: fields.moment("t")?,
            order: Digest(fields.bytes("order")?),
            log: fields.read("log", "is no log's name", |text| text.parse().ok())?,
            entry: fields.int("entry")?,
            event: EventId(fields.bytes("event")?),
            camera: fields.read("camera", CameraId::WHY, |text| text.parse().ok())?,
            from: fields.moment("from")?,
            until: fields.moment("until")?,
            ground: fields.read("ground", "is none of the grounds", Ground::from_key)?,
            kept: kept.ok_or_else(|| fields.bad("kept", "is not a list of numbers"))?,
            clip: Clip {
                digest: Digest(fields.bytes("clip")?),
                manifest: Digest(fields.bytes("manifest")?),
                pictures: fields.int("pictures")?,
                segments: fields.int("segments")?,
            },
            gaps: Gaps { count: fields.int("gap_count")?, listed },
        };
        fields.end()?;
        Ok(statement)
    }

    fn check(&self) -> Result<(), FormError> {
        let Gaps { count, listed } = &self.gaps;
        let all = *count == listed.len() as u64;
        if listed.len() > MAX_GAPS || !(all || (*count > MAX_GAPS as u64 && listed.len() == MAX_GAPS)) {
            return Err(FormError::value("gap_count", "does not fit the gaps that are listed"));
        }
        if listed.iter().any(|gap| gap.from_ms >= gap.until_ms) {
            return Err(FormError::value("gaps", "have one that ends before it begins"));
        }
        if !self.kept.is_sorted_by(|a, b| a < b) {
            return Err(FormError::value("kept", "are not ascending, each once"));
        }
        if self.from >= self.until {
            return Err(FormError::value("until", "is not after `from`"));
        }
        Ok(())
    }
}

/// Why a statement was not made, not read or not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The note: its form, or its signatures.
    #[error("the statement's note is not in order")]
    Note(#[from] NoteError),
    /// A note of another kind, or a later version.
    #[error("the note is no statement of an unsealing: its first line is not `placet/unsealing/v1`")]
    FirstLine,
    /// Not the JSON of a statement.
    #[error("the statement's JSON")]
    Form(#[from] FormError),
}
