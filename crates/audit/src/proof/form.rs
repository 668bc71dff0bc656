//! A statement proof's one spelling.

use placet_record::entry::{CameraId, Fields, FormError, Json, bytes_of_base64url, demand_canonical};
use placet_tlog::merkle::{Hash, MAX_PROOF};

use super::{ProvedCheckpoint, ProvedEntry, ProvedSlot, StatementProof};

/// The longest statement proof, in bytes.
pub const MAX_PROOF_FILE: usize = 8 << 20;

const TYPE: &str = "statement-proof";

impl StatementProof {
    /// Reads a statement proof; nothing is verified.
    ///
    /// # Errors
    /// Whatever [`StatementProof::to_bytes`] would not write, be it one byte, with its key or its place.
    pub fn parse(bytes: &[u8]) -> Result<Self, FormError> {
        let mut fields = Fields::of(Json::read(bytes, MAX_PROOF_FILE)?, "", "")?;
        fields.version()?;
        if fields.text("type")? != TYPE {
            return Err(fields.bad("type", "is not `statement-proof`"));
        }
        let proof = Self {
            camera: fields.read("camera", "is no camera's name", |name| name.parse::<CameraId>().ok())?,
            at: fields.moment("at")?,
            checkpoint: fields.text("checkpoint")?,
            genesis: read_entry(fields.take("genesis")?, "genesis", "genesis.")?,
            tick: optional_entry(&mut fields, "tick", "tick.")?,
            next: optional_entry(&mut fields, "next", "next.")?,
            roster: if fields.has("roster") { Some(fields.text("roster")?) } else { None },
            slot: fields.optional("slot").map(read_slot).transpose()?,
            reveal: optional_entry(&mut fields, "reveal", "reveal.")?,
            order: optional_entry(&mut fields, "order", "order.")?,
            cosigned: fields.optional("cosigned").map(read_cosigned).transpose()?,
        };
        fields.end()?;
        demand_canonical(bytes, &proof.to_bytes()?)?;
        Ok(proof)
    }

    /// The file.
    ///
    /// # Errors
    /// If it is longer than [`MAX_PROOF_FILE`], or an index is 2^53 or more.
    pub fn to_bytes(&self) -> Result<Vec<u8>, FormError> {
        let mut pairs = Json::object([
            ("type", Json::text(TYPE)),
            ("v", Json::Int(1)),
            ("camera", Json::text(&self.camera)),
            ("at", Json::text(self.at)),
            ("checkpoint", Json::text(&self.checkpoint)),
            ("genesis", entry(&self.genesis)),
        ]);
        let optional = [
            ("tick", self.tick.as_ref().map(entry)),
            ("next", self.next.as_ref().map(entry)),
            ("roster", self.roster.as_ref().map(Json::text)),
            ("slot", self.slot.as_ref().map(slot)),
            ("reveal", self.reveal.as_ref().map(entry)),
            ("order", self.order.as_ref().map(entry)),
            ("cosigned", self.cosigned.as_ref().map(cosigned)),
        ];
        pairs.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
        Json::Object(pairs).canonical(MAX_PROOF_FILE)
    }
}

fn path(hashes: &[Hash]) -> Json {
    Json::List(hashes.iter().map(|hash| Json::bytes(&hash.0)).collect())
}

fn entry(entry: &ProvedEntry) -> Json {
    Json::Object(Json::object([
        ("index", Json::Int(entry.index)),
        ("entry", Json::text(&entry.entry)),
        ("path", path(&entry.path)),
    ]))
}

fn slot(slot: &ProvedSlot) -> Json {
    Json::Object(Json::object([("bytes", Json::bytes(&slot.bytes)), ("path", path(&slot.path))]))
}

fn cosigned(cosigned: &ProvedCheckpoint) -> Json {
    let checkpoint = Json::text(&cosigned.checkpoint);
    Json::Object(Json::object([("checkpoint", checkpoint), ("path", path(&cosigned.path))]))
}

fn read_path(fields: &mut Fields) -> Result<Vec<Hash>, FormError> {
    let hashes = fields.list("path")?;
    if hashes.len() > MAX_PROOF {
        return Err(fields.bad("path", "has more than 63 hashes"));
    }
    let hashes = hashes.into_iter().map(|hash| match hash {
        Json::Text(text) => bytes_of_base64url(&text).map(Hash),
        _ => None,
    });
    hashes
        .collect::<Option<_>>()
        .ok_or_else(|| fields.bad("path", "has an item that is not base64url of 32 bytes"))
}

fn optional_entry(
    fields: &mut Fields,
    key: &'static str,
    within: &'static str,
) -> Result<Option<ProvedEntry>, FormError> {
    fields.optional(key).map(|json| read_entry(json, key, within)).transpose()
}

fn read_entry(json: Json, key: &'static str, within: &'static str) -> Result<ProvedEntry, FormError> {
    let mut fields = Fields::of(json, key, within)?;
    let entry = ProvedEntry {
        index: fields.int("index")?,
        entry: fields.text("entry")?,
        path: read_path(&mut fields)?,
    };
    fields.end()?;
    Ok(entry)
}

fn read_slot(json: Json) -> Result<ProvedSlot, FormError> {
    let mut fields = Fields::of(json, "slot", "slot.")?;
    let slot = ProvedSlot { bytes: fields.bytes("bytes")?, path: read_path(&mut fields)? };
    fields.end()?;
    Ok(slot)
}

fn read_cosigned(json: Json) -> Result<ProvedCheckpoint, FormError> {
    let mut fields = Fields::of(json, "cosigned", "cosigned.")?;
    let checkpoint = fields.text("checkpoint")?;
    let cosigned = ProvedCheckpoint { checkpoint, path: read_path(&mut fields)? };
    fields.end()?;
    Ok(cosigned)
}
