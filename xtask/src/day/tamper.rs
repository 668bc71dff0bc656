//! What can be done to a published day, and to a proof of it, by whoever hosts or holds it.

use std::fs;
use std::path::{Path, PathBuf};

use super::made::{Day, Placed, between, chunk, number, read};

/// Who has to notice besides `placet-verify`, which always has to: the others do not read everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Others {
    pub go: bool,
    pub npm: bool,
    pub browser: bool,
}

const ALL: Others = Others { go: true, npm: true, browser: true };
const TILES: Others = Others { go: true, npm: false, browser: true };
const BROWSER: Others = Others { go: false, npm: false, browser: true };

/// One way to tamper with a copy of a log.
pub struct Tampering {
    pub words: &'static str,
    pub others: Others,
    /// Whether it is only told by a checkpoint that somebody kept from before.
    pub since: bool,
    pub make: fn(&Day, &Copy) -> Result<(), String>,
}

/// All of them.
pub const LOGS: [Tampering; 15] = [
    tampering("one bit of an entry flipped", ALL, |day, copy| {
        copy.replace(&day.tick, |entry| entry.replacen("\"reveal_by\"", "\"reveal_bx\"", 1))
    }),
    tampering("one bit of a tile of hashes flipped", TILES, |day, copy| {
        let (path, _) = chunk(&copy.0, "tile/0", day.tick.index)?;
        copy.flip(&path, ((day.tick.index ^ 1) % 256) as usize * 32)
    }),
    tampering("one letter of a reveal's seed changed", ALL, |day, copy| {
        copy.replace(&day.reveal, |entry| swap_after(entry, "\"seed\":\""))
    }),
    tampering("one bit of the searched camera's slot flipped", BROWSER, |day, copy| {
        let (path, searched, _) = copy.slots(day)?;
        copy.flip(&path, searched + SLOT / 2)
    }),
    tampering("the searched camera's slot replaced by one that says OFF", BROWSER, |day, copy| {
        let (path, searched, other) = copy.slots(day)?;
        copy.change(&path, |bytes| bytes.copy_within(other..other + SLOT, searched))
    }),
    tampering("another camera given the searched one's name", BROWSER, |day, copy| {
        let (side, path) = copy.roster()?;
        let (one, two) = (quoted(&day.searched.camera), quoted(&day.other.camera));
        let swapped = side.replace(&one, "\"\u{0}\"").replace(&two, &one).replace("\"\u{0}\"", &two);
        copy.write(&path, swapped.as_bytes())
    }),
    tampering("one bit of what witnesses saw in time flipped", BROWSER, |day, copy| {
        let (path, start, item) = copy.cosigned(day.n)?;
        copy.flip(&path, start + item.find('\n').unwrap_or_default() + 1)
    }),
    tampering("one letter of the checkpoint's root changed", ALL, |_, copy| {
        copy.rewrite("checkpoint", |note| swap_after(note, &first_lines(note, 2)))
    }),
    tampering("the checkpoint one entry shorter", ALL, |_, copy| {
        copy.rewrite("checkpoint", |note| {
            let size = number(note, "\n").unwrap_or_default();
            note.replacen(&format!("\n{size}\n"), &format!("\n{}\n", size - 1), 1)
        })
    }),
    tampering("the witnesses' signatures taken off the checkpoint", BROWSER, |_, copy| {
        copy.rewrite("checkpoint", |note| first_lines(note, 5))
    }),
    tampering("a bundle of entries missing", ALL, |day, copy| {
        copy.remove(&chunk(&copy.0, "tile/entries", day.tick.index)?.0)
    }),
    tampering("a file of slots missing", BROWSER, |day, copy| {
        copy.remove(&chunk(&copy.0, "slots", day.n)?.0)
    }),
    Tampering {
        words: "an older checkpoint put back, with the tiles it had",
        others: BROWSER,
        since: true,
        make: |day, copy| copy.roll_back(day.n + 90),
    },
    tampering("a log of that name made anew and signed with other keys", ALL, |day, copy| {
        fs::remove_dir_all(&copy.0).map_err(|e| format!("cannot clear {}: {e}", copy.0.display()))?;
        copy_folder(&day.folder.with_file_name("forger").join("public"), &copy.0)
    }),
    tampering("a checkpoint of those other keys over the true files", ALL, |day, copy| {
        let forged = read(&day.folder.with_file_name("forger").join("public/checkpoint"))?;
        copy.write("checkpoint", forged.as_bytes())
    }),
];

/// A change of a proof's text.
pub type Change = fn(&Day) -> String;

/// What can be done to the proof that the search was on.
pub const PROOFS: [(&str, Change); 6] = [
    ("a proof's camera changed to another", |day| {
        day.proof.replacen(
            &format!("\"camera\":{}", quoted(&day.searched.camera)),
            &format!("\"camera\":{}", quoted(&day.other.camera)),
            1,
        )
    }),
    ("a proof's instant moved by an hour", |day| {
        let to_the_hour: String = day.searched.at.chars().take("2026-11-22T1".len()).collect();
        swap_after(&day.proof, &format!("\"at\":\"{to_the_hour}"))
    }),
    ("one letter of a proof's slot changed", |day| swap_after(&day.proof, "\"slot\":{\"bytes\":\"")),
    ("a proof's slot replaced by one that says OFF", |day| {
        let slot = |proof| between(proof, "\"slot\":", ",\"tick\":").unwrap_or_default();
        day.proof.replacen(slot(&day.proof), slot(&day.other_proof), 1)
    }),
    ("one letter of a proof's seed changed", |day| swap_after(&day.proof, "\\\"seed\\\":\\\"")),
    ("one letter of a proof's path changed", |day| {
        swap_after(&day.proof, &format!("\"index\":{},\"path\":[\"", day.tick.index))
    }),
];

const SLOT: usize = 128;

const fn tampering(
    words: &'static str,
    others: Others,
    make: fn(&Day, &Copy) -> Result<(), String>,
) -> Tampering {
    Tampering { words, others, since: false, make }
}

/// A copy of a log to tamper with.
pub struct Copy(pub PathBuf);

impl Copy {
    /// Copies a published log, without what its maker left there for itself.
    pub fn of(log: &Path, to: PathBuf) -> Result<Self, String> {
        copy_folder(log, &to)?;
        Ok(Self(to))
    }

    /// Its files, as paths of a published log, the checkpoint not among them.
    pub fn files(&self) -> Result<Vec<String>, String> {
        let mut all = Vec::new();
        let mut folders = ["cosigned", "roster", "slots", "tile"].map(PathBuf::from).to_vec();
        while let Some(folder) = folders.pop() {
            for entry in list(&self.0.join(&folder))? {
                let path = folder.join(entry.file_name());
                if entry.path().is_dir() { folders.push(path) } else { all.push(path.display().to_string()) }
            }
        }
        all.sort();
        Ok(all)
    }

    /// Changes a file in a way that is certain to change it.
    pub fn change(&self, path: &str, change: impl FnOnce(&mut Vec<u8>)) -> Result<(), String> {
        let file = self.0.join(path);
        let before = fs::read(&file).map_err(|e| format!("cannot read {}: {e}", file.display()))?;
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Err(format!("nothing was changed in {}", file.display()));
        }
        self.write(path, &after)
    }

    pub fn flip(&self, path: &str, at: usize) -> Result<(), String> {
        self.change(path, |bytes| {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1;
            }
        })
    }

    fn write(&self, path: &str, bytes: &[u8]) -> Result<(), String> {
        fs::write(self.0.join(path), bytes).map_err(|e| format!("cannot write {path} of a copy: {e}"))
    }

    fn remove(&self, path: &str) -> Result<(), String> {
        fs::remove_file(self.0.join(path)).map_err(|e| format!("cannot remove {path} of a copy: {e}"))
    }

    fn rewrite(&self, path: &str, new: impl FnOnce(&str) -> String) -> Result<(), String> {
        self.change(path, |bytes| *bytes = new(&String::from_utf8_lossy(bytes)).into_bytes())
    }

    /// Puts another entry of the same length in the place of one.
    fn replace(&self, place: &Placed, new: impl FnOnce(&str) -> String) -> Result<(), String> {
        let (path, _) = chunk(&self.0, "tile/entries", place.index)?;
        let new = new(&place.entry);
        self.change(&path, |bytes| {
            let old = place.entry.as_bytes();
            let at = bytes.windows(old.len()).position(|window| window == old);
            let found = at.and_then(|at| bytes.get_mut(at..at + new.len()));
            if let Some(found) = found {
                found.copy_from_slice(new.as_bytes());
            }
        })
    }

    /// Shows the log as it was when witnesses had seen a tick. What is read in its place is longer and not asked for, but
    /// for the tile over tiles, which has to end where the log did.
    fn roll_back(&self, tick: u64) -> Result<(), String> {
        let (_, _, older) = self.cosigned(tick)?;
        let full = number(&older, "\n").unwrap_or_default() / 256;
        let (tile, _) = chunk(&self.0, "tile/1", 0)?;
        let mut hashes = fs::read(self.0.join(&tile)).map_err(|e| format!("cannot read {tile}: {e}"))?;
        hashes.truncate(full as usize * 32);
        self.write(&format!("tile/1/000.p/{full}"), &hashes)?;
        self.write("checkpoint", older.as_bytes())
    }

    /// The text and the path of the first roster.
    fn roster(&self) -> Result<(String, String), String> {
        let files = list(&self.0.join("roster"))?;
        let name = files.first().map(fs::DirEntry::file_name).ok_or("the log has no roster")?;
        let path = format!("roster/{}", name.to_string_lossy());
        Ok((read(&self.0.join(&path))?, path))
    }

    /// The file with the slots of the day's tick, and where in it the two cameras' are.
    fn slots(&self, day: &Day) -> Result<(String, usize, usize), String> {
        let (path, ticks) = chunk(&self.0, "slots", day.n)?;
        let length = fs::metadata(self.0.join(&path)).map_err(|e| format!("cannot read {path}: {e}"))?.len();
        let tick = day.n as usize % 256 * (length as usize / ticks);
        let (roster, _) = self.roster()?;
        let at = |camera: &str| {
            let slot = number(&roster, &format!("{{\"camera\":{},\"slot\":", quoted(camera)));
            slot.map(|slot| tick + slot as usize * SLOT).ok_or_else(|| format!("{camera} is on no roster"))
        };
        Ok((path, at(&day.searched.camera)?, at(&day.other.camera)?))
    }

    /// The file with what witnesses saw of a tick in time, where in it that is, and the text itself.
    fn cosigned(&self, tick: u64) -> Result<(String, usize, String), String> {
        let (path, _) = chunk(&self.0, "cosigned", tick)?;
        let bytes = fs::read(self.0.join(&path)).map_err(|e| format!("cannot read {path}: {e}"))?;
        let mut at = 0;
        for _ in 0..tick % 256 {
            at += 2 + length(&bytes, at);
        }
        let item = bytes.get(at + 2..at + 2 + length(&bytes, at)).unwrap_or_default();
        Ok((path, at + 2, String::from_utf8_lossy(item).into_owned()))
    }
}

/// The two bytes of length before an item.
fn length(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at..at + 2) {
        Some(&[high, low]) => usize::from(u16::from_be_bytes([high, low])),
        _ => 0,
    }
}

fn list(folder: &Path) -> Result<Vec<fs::DirEntry>, String> {
    let entries = fs::read_dir(folder).map_err(|e| format!("cannot list {}: {e}", folder.display()))?;
    Ok(entries.flatten().collect())
}

fn copy_folder(from: &Path, to: &Path) -> Result<(), String> {
    fs::create_dir_all(to).map_err(|e| format!("cannot create {}: {e}", to.display()))?;
    for entry in list(from)? {
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if from.is_dir() {
            copy_folder(&from, &to)?;
        } else {
            fs::copy(&from, &to).map_err(|e| format!("cannot write {}: {e}", to.display()))?;
        }
    }
    Ok(())
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn first_lines(text: &str, lines: usize) -> String {
    text.split_inclusive('\n').take(lines).collect()
}

/// The text with the letter or digit after the first `after` changed to another one.
fn swap_after(text: &str, after: &str) -> String {
    let Some((before, rest)) = text.split_once(after) else { return text.to_owned() };
    let mut letters = rest.chars();
    let other = match letters.next() {
        Some(digit @ '0'..='9') => char::from(digit as u8 ^ 1),
        Some('A') => 'B',
        _ => 'A',
    };
    [before, after, other.encode_utf8(&mut [0; 4]), letters.as_str()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_letter_is_changed_and_only_that() {
        assert_eq!(swap_after("seed:Ab seed:x", "seed:"), "seed:Bb seed:x");
        assert_eq!(swap_after("T11:15", "T1"), "T10:15");
        assert_eq!(swap_after("x", "y"), "x");
    }

    #[test]
    fn a_change_that_changes_nothing_is_a_mistake() {
        let folder = std::env::temp_dir().join(format!("placet-xtask-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let copy = Copy(folder);
        copy.write("file", b"abc").unwrap();
        copy.flip("file", 1).unwrap();
        assert_eq!(fs::read(copy.0.join("file")).unwrap(), b"acc");
        assert!(copy.flip("file", 3).unwrap_err().starts_with("nothing was changed"));
        fs::remove_dir_all(copy.0).unwrap();
    }
}
