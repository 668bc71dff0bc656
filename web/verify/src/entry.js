// The entries of a log (docs/formats/log-entries.md): what each type may hold, and nothing else.

import { refuse, utf8 } from "./bytes.js";
import { bytes, integer, list, oneOf, optional, readObject, readShape, text } from "./json.js";
import { LOG_KEY, isKeyName, readKey } from "./note.js";

const MAX_ENTRY = 2048;
const MAX_SLOTS = 65536;
const FIRST_SECOND = Date.parse("2000-01-01T00:00:00Z") / 1000;
const LAST_SECOND = Date.parse("2199-12-31T23:59:59Z") / 1000;

export const PURPOSES = ["victim_search", "missing_person", "threat", "terrorist_threat", "suspect", "convict"];
const KINDS = ["request", "refusal", "authorisation", "revocation", "opening", "closing", "review", "deletion", "note", "unsealing"];
const PUBLIC_KINDS = ["refusal", "authorisation", "revocation", "opening", "closing", "unsealing"];
// What an unsealing is for; every other event has a purpose.
const GROUNDS = ["crime", "accident", "own_request"];

/** The seconds since 1970 that `2026-11-22T05:43:00Z` names, or null. */
export function secondsOf(moment) {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(moment)) return null;
  const seconds = Date.parse(moment) / 1000;
  // Writing it again catches 29 February and 24:00, which some engines take for the day after.
  const fits = seconds >= FIRST_SECOND && seconds <= LAST_SECOND && momentOf(seconds) === moment;
  return fits ? seconds : null;
}

export const momentOf = (seconds) => new Date(seconds * 1000).toISOString().replace(".000Z", "Z");

const moment = {
  read: (value, part, key) =>
    (typeof value === "string" ? secondsOf(value) : null) ??
    refuse(part, `\`${key}\` is no second in UTC from 2000 to 2199`),
};

export const isCamera = (name) => /^[a-z0-9._-]{1,64}$/.test(name);
const UNSEEN = /[\p{Cc}\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]|^\p{White_Space}|\p{White_Space}$/u;
const isAuthority = (name) => !UNSEEN.test(name) && [...name].length >= 1 && [...name].length <= 120;

export const camera = text(isCamera, "is no camera's name: 1 to 64 of a-z0-9._-");
export const momentField = moment;
const digest = bytes(32);
const verifierKey = text(() => true, "is no verifier key");

const PUBLIC = {
  order: digest,
  purpose: oneOf(...PURPOSES, ...GROUNDS),
  authority: text(isAuthority, "is no name of an office"),
  cameras: list(64, camera),
  from: moment,
  until: moment,
};

const SHAPES = {
  genesis: {
    t: moment,
    origin: text(isKeyName, "is no origin"),
    interval: integer(1, 3600),
    mode: oneOf("open", "sealed"),
    reveal_delay: integer(0, 31536000),
    slots: integer(1, MAX_SLOTS),
  },
  tick: { n: integer(), t: moment, roster: digest, slots: digest, reveal_by: moment },
  reveal: { t: moment, n: integer(), seed: digest },
  key: { t: moment, old: verifierKey, new: verifierKey, from: integer() },
  roster: { t: moment, of: oneOf("cameras", "witnesses"), count: integer(0, MAX_SLOTS), digest },
  event: {
    t: moment,
    kind: oneOf(...KINDS),
    id: bytes(16),
    c: digest,
    about: optional(integer()),
    deposit: optional(digest),
    public: optional({ read: (value, part) => readPublic(value, part) }),
  },
};

function readPublic(value, part) {
  const found = readShape(value, PUBLIC, () => part);
  const ascending = found.cameras.every((name, at) => at === 0 || found.cameras[at - 1] < name);
  if (found.cameras.length === 0 || !ascending) refuse(part, "`cameras` are not 1 to 64, ascending");
  if (found.from >= found.until) refuse(part, "`until` is not after `from`");
  return found;
}

/** Reads an entry's bytes; times become seconds, digests bytes. `part` is blamed if they are none. */
export async function parseEntry(entry, part) {
  const value = readObject(entry, MAX_ENTRY, part);
  const shape = typeof value.type === "string" && Object.hasOwn(SHAPES, value.type) ? SHAPES[value.type] : null;
  if (shape === null) refuse(part, "`type` is no type of entry");
  const found = readShape(value, { ...shape, type: oneOf(value.type), v: integer(1, 1) }, () => part);
  if (found.type === "tick" && found.t >= found.reveal_by) refuse(part, "`reveal_by` is not after `t`");
  if (found.type === "key") await checkKeys(found, part);
  if (found.public !== undefined && !PUBLIC_KINDS.includes(found.kind))
    refuse(part, "an event of this kind has no `public`");
  if (found.public !== undefined && GROUNDS.includes(found.public.purpose) !== (found.kind === "unsealing"))
    refuse(part, "`purpose` is none that an event of this kind has");
  return found;
}

async function checkKeys(found, part) {
  for (const key of [found.old, found.new]) await readKey(key, LOG_KEY, part);
  if (found.old === found.new) refuse(part, "`new` is the key that it replaces");
}

/** Reads the side file of a roster of cameras: which camera has which slot. */
export function parseRoster(side, part) {
  const slots = new Map();
  if (side === "") return slots;
  if (!side.endsWith("\n")) refuse(part, "the roster does not end in a newline");
  let last = -1;
  for (const line of side.slice(0, -1).split("\n")) {
    const shape = { camera, slot: integer(0, MAX_SLOTS - 1) };
    const row = readShape(readObject(utf8(line), 128, part), shape, () => part);
    if (row.slot <= last || slots.has(row.camera))
      refuse(part, "the roster's slots do not ascend, or a camera stands twice");
    slots.set(row.camera, row.slot);
    last = row.slot;
  }
  return slots;
}
