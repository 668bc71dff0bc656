// Signed notes (c2sp.org/signed-note), checkpoints (c2sp.org/tlog-checkpoint) and cosignatures (c2sp.org/tlog-cosignature).

import { equal, fromBase64, hex, refuse, sha256, textOf, utf8 } from "./bytes.js";
import { isHonestPoint, verifyEd25519 } from "./ed25519.js";

export const LOG_KEY = 1;
export const WITNESS_KEY = 4;
const MAX_NOTE = 2 * 1024 * 1024;
const MAX_SIGNATURES = 100;
const MAX_LINE = 16 * 1024;

/** Whether a text can name a key or a log. */
export const isKeyName = (name) =>
  name !== "" && utf8(name).length <= 255 && !/[\p{White_Space}\u0000-\u001f+]/u.test(name);

/** A verifier key of the kind wanted, written `name+id+base64`; `part` is blamed if it is none. */
export async function readKey(text, kind, part) {
  const [name, id, ...rest] = text.split("+");
  const payload = fromBase64(rest.join("+"));
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id ?? "") || payload === null) {
    return refuse(part, `\`${text}\` is no key: name+id+base64`);
  }
  if (payload.length !== 33 || payload[0] !== kind || !isHonestPoint(payload.subarray(1))) {
    return refuse(part, `\`${name}\` is not an Ed25519 key of ${kind === LOG_KEY ? "a log" : "a witness"}`);
  }
  const digest = await sha256(utf8(`${name}\n`), payload);
  if (hex(digest.subarray(0, 4)) !== id) return refuse(part, `the id of the key \`${name}\` is not its own`);
  return { name, id, bytes: payload.subarray(1), text };
}

function parseLine(line, part) {
  const match = /^\u2014 ([^ ]+) ([^ ]+)$/u.exec(line);
  const decoded = match && utf8(line).length < MAX_LINE && isKeyName(match[1]) ? fromBase64(match[2]) : null;
  if (decoded === null || decoded.length < 5) return refuse(part, "a signature line of the note cannot be read");
  return { name: match[1], id: hex(decoded.subarray(0, 4)), bytes: decoded.subarray(4) };
}

/** Takes a note apart, nothing verified. */
export function parseNote(bytes, part) {
  if (bytes.length > MAX_NOTE) refuse(part, "the note is too long");
  const note = textOf(bytes, part);
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) refuse(part, "the note has a control character");
  const blank = note.lastIndexOf("\n\n");
  if (blank < 0) refuse(part, "the note has no blank line before its signatures");
  const tail = note.slice(blank + 2);
  if (tail === "" || !tail.endsWith("\n")) refuse(part, "the note does not end in a signature line");
  const lines = tail.slice(0, -1).split("\n");
  if (lines.length > MAX_SIGNATURES) refuse(part, "the note has too many signatures");
  return { text: note.slice(0, blank + 1), signatures: lines.map((line) => parseLine(line, part)) };
}

/** The signatures of known keys, each with its key. A known key signs once, and every line of one must be good. */
async function signaturesOf(note, keys, part, check) {
  const out = [];
  for (const line of note.signatures) {
    const key = keys.find((known) => known.id === line.id && known.name === line.name);
    if (key === undefined) continue;
    if (out.some((before) => before.key === key)) refuse(part, `the key \`${key.name}\` signed twice`);
    const found = await check(key, line.bytes);
    if (found === null) refuse(part, `the signature of \`${key.name}\` does not fit the text`);
    out.push({ key, ...found });
  }
  return out;
}

/** The plain signatures that `keys` made on a note. */
export const signers = (note, keys, part) =>
  signaturesOf(note, keys, part, async (key, bytes) =>
    (await verifyEd25519(key.bytes, utf8(note.text), bytes)) ? {} : null,
  );

/** The cosignatures that witnesses with `keys` made on a note, with the second each states. */
export const cosigners = (note, keys, part) =>
  signaturesOf(note, keys, part, async (key, bytes) => {
    if (bytes.length !== 72 || bytes[0] > 127) return null;
    const time = bytes.subarray(0, 8).reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
    const message = utf8(`cosignature/v1\ntime ${time}\n${note.text}`);
    return (await verifyEd25519(key.bytes, message, bytes.subarray(8))) ? { time: Number(time) } : null;
  });

/** What a checkpoint says, nothing verified. */
export function parseCheckpoint(text, part) {
  const [origin, size, root, end, ...more] = text.split("\n");
  if (end !== "" || more.length > 0) refuse(part, "a checkpoint has three lines: origin, size, root");
  const hash = fromBase64(root);
  if (!isKeyName(origin)) refuse(part, "the checkpoint's first line is no origin");
  if (!/^(0|[1-9][0-9]{0,15})$/.test(size) || !Number.isSafeInteger(Number(size))) {
    refuse(part, "the checkpoint's second line is no size");
  }
  if (hash === null || hash.length !== 32) refuse(part, "the checkpoint's third line is no root");
  return { origin, size: Number(size), root: hash };
}

export const sameCheckpoint = (a, b) => a.origin === b.origin && a.size === b.size && equal(a.root, b.root);
