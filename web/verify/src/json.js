// Canonical JSON (RFC 8785) of objects, lists, texts and whole numbers. Bytes that are not their own canonical form are
// refused: that catches a key that stands twice, since writing what was read gives it once.

import { fromBase64url, refuse, textOf } from "./bytes.js";

const MAX_DEPTH = 8;

/** The one spelling of a value; a number must be whole and from 0 to 2^53 - 1. */
export function canonical(value, part = "file", depth = 0) {
  if (depth > MAX_DEPTH) refuse(part, "it is nested too deep");
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) refuse(part, "a text has half a character");
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    // -0 is caught by the comparison: it is written as 0.
    if (!Number.isFinite(value)) refuse(part, "a number is too large");
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, part, depth + 1)).join(",")}]`;
  if (typeof value === "object" && value !== null) {
    const pair = (key) => `${canonical(key, part)}:${canonical(value[key], part, depth + 1)}`;
    return `{${Object.keys(value).sort().map(pair).join(",")}}`;
  }
  return JSON.stringify(value);
}

/** Reads one canonical object of at most `limit` bytes. */
export function readObject(bytes, limit, part) {
  if (bytes.length > limit) refuse(part, `it has more than ${limit} bytes`);
  const text = textOf(bytes, part);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    refuse(part, "it is not JSON");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(part, "it is no JSON object");
  if (canonical(value, part) !== text) refuse(part, "it is not in canonical form, or a key stands twice");
  return value;
}

/**
 * Reads an object by a table of readers, one for each key: nothing is missing but what is `optional`, nothing is left over.
 * `blame` gives the part at fault for a key.
 */
export function readShape(value, shape, blame) {
  if (typeof value !== "object" || value === null || Array.isArray(value)) refuse(blame(""), "it is not an object");
  for (const key of Object.keys(value)) {
    if (!Object.hasOwn(shape, key)) refuse(blame(""), `\`${key.slice(0, 64)}\` is unknown`);
  }
  const out = {};
  for (const [key, reader] of Object.entries(shape)) {
    if (Object.hasOwn(value, key)) out[key] = reader.read(value[key], blame(key), key);
    else if (!reader.optional) refuse(blame(key), `\`${key}\` is missing`);
  }
  return out;
}

const reader = (accepts, why) => ({
  read: (value, part, key) => (accepts(value) ? value : refuse(part, `\`${key}\` ${why}`)),
});

export const text = (accepts, why) => reader((value) => typeof value === "string" && accepts(value), why);
export const oneOf = (...words) => text((word) => words.includes(word), `is none of ${words.join(", ")}`);
export const integer = (least = 0, most = Number.MAX_SAFE_INTEGER) =>
  reader((n) => Number.isSafeInteger(n) && n >= least && n <= most && !Object.is(n, -0), `is no whole number from ${least} to ${most}`);
export const optional = (inner) => ({ ...inner, optional: true });

/** Bytes in base64url, of this length. */
export const bytes = (length) => ({
  read: (value, part, key) => {
    const decoded = typeof value === "string" ? fromBase64url(value) : null;
    return decoded?.length === length ? decoded : refuse(part, `\`${key}\` is not base64url of ${length} bytes`);
  },
});

/** A list of at most `most` things. */
export const list = (most, item) => ({
  read: (value, part, key) => {
    if (!Array.isArray(value) || value.length > most) refuse(part, `\`${key}\` is no list of at most ${most}`);
    return value.map((one) => item.read(one, part, key));
  },
});
