// Slots (docs/formats/log-entries.md#slots): what one camera did in one interval, sealed until its tick is revealed.

import { bigEndian, concat, equal, hex, hmac, utf8 } from "./bytes.js";
import { PURPOSES } from "./entry.js";

export const SLOT_SIZE = 128;
const label = (name) => utf8(`placet/v1/${name}\0`);

/** The 96 bytes in a slot, or null if the seed does not open it. */
export async function unseal(seed, tick, number, slot) {
  const place = bigEndian(number, 4);
  const salt = await hmac(seed, label("slot-salt"), place);
  const tag = slot.subarray(0, 32);
  // HKDF-Expand by hand: WebCrypto's HKDF always extracts first.
  const info = concat(label("slot-pad"), tag);
  const first = await hmac(salt, info, Uint8Array.of(1));
  const second = await hmac(salt, first, info, Uint8Array.of(2));
  const third = await hmac(salt, second, info, Uint8Array.of(3));
  const stream = concat(first, second, third);
  const plain = slot.subarray(32).map((byte, at) => byte ^ stream[at]);
  return equal(tag, await hmac(salt, label("slot"), bigEndian(tick, 8), place, plain)) ? plain : null;
}

/** What the 96 bytes say, or null if no slot says it. */
export function readSlot(plain) {
  const [version, state, purpose, reserved] = plain;
  const rest = (from) => plain.subarray(from).every((byte) => byte === 0);
  if (version !== 1 || state > 3) return null;
  if (state !== 2) return rest(2) ? { state: ["no-camera", "off", null, "no-answer"][state] } : null;
  if (purpose < 1 || purpose > 6 || reserved !== 0 || !rest(46)) return null;
  const number = (at, size) => plain.subarray(at, at + size).reduce((sum, byte) => sum * 256 + byte, 0);
  return {
    state: "on",
    purpose: PURPOSES[purpose - 1],
    order: hex(plain.subarray(4, 36)),
    frames_compared: number(36, 4),
    candidates: number(40, 2),
    confirmed: number(42, 2),
    rejected: number(44, 2),
  };
}
