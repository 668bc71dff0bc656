// Bytes and their spellings. Each has one spelling only; anything else is refused.

/** Something is not as it must be. `part` says which piece of a file or log is at fault. */
export class Refused extends Error {
  constructor(part, why, options) {
    super(why, options);
    this.part = part;
  }
}

/** What the log itself signed breaks its rules. It proves nothing about a camera, and something about the log. */
export class Misbehaved extends Refused {}

export const misbehaved = (part, why) => {
  throw new Misbehaved(part, why);
};

export const refuse = (part, why) => {
  throw new Refused(part, why);
};

export const utf8 = (text) => new TextEncoder().encode(text);

/** The text that strict UTF-8 spells; a byte order mark is kept, so that it is refused later. */
export function textOf(bytes, part) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return refuse(part, "it is not UTF-8");
  }
}

export function concat(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const equal = (a, b) => a.length === b.length && a.every((byte, at) => byte === b[at]);

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

/** `value` as a big-endian number of `size` bytes. */
export function bigEndian(value, size) {
  const out = new Uint8Array(size);
  for (let at = size - 1, rest = BigInt(value); at >= 0; at -= 1, rest >>= 8n) out[at] = Number(rest & 255n);
  return out;
}

export function base64(bytes) {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** Strict base64, or null. Padding is there and leftover bits are zero: it must be what we would write. */
export function fromBase64(text) {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(text) || text.length % 4 !== 0) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return base64(bytes) === text ? bytes : null;
}

export const base64url = (bytes) => base64(bytes).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** Strict base64url without padding, or null. */
export function fromBase64url(text) {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  const standard = text.replace(/-/g, "+").replace(/_/g, "/");
  return fromBase64(standard + "=".repeat((4 - (standard.length % 4)) % 4));
}

export async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", concat(...parts)));
}

export async function hmac(key, ...parts) {
  const usage = { name: "HMAC", hash: "SHA-256" };
  const imported = await crypto.subtle.importKey("raw", key, usage, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, concat(...parts)));
}
