// What the tests share: the vectors, read from their folder. Also gives Node 18 the `crypto` that browsers and later ones have.

import { webcrypto } from "node:crypto";
import { readFileSync } from "node:fs";

globalThis.crypto ??= webcrypto;

const file = (path) => new URL(`../../../vectors/${path}`, import.meta.url);
export const read = (path) => new Uint8Array(readFileSync(file(path)));
export const json = (path) => JSON.parse(readFileSync(file(path), "utf8"));
export const text = (path) => readFileSync(file(path), "utf8");
export const seconds = (moment) => Date.parse(moment) / 1000;
export const fromHex = (digits) => new Uint8Array(Buffer.from(digits, "hex"));

export const CASES = json("logs/cases.json");
export const STATEMENTS = CASES.filter((one) => one.expect !== "reject");
export const BROKEN = CASES.filter((one) => one.expect === "reject");
const LYING = [
  "reveal",
  "reveal-by",
  "slot-beyond",
  "genesis-again",
  "tick-before-log",
  "order-of-ticks",
  "reveal-first",
];
/** The broken ones whose fault the log itself signed. */
export const LIES = ["reject-cosigned-fork.json", ...LYING.map((fault) => `reject-lying-${fault}.json`)];
/** Those that can be asked of a published folder. */
export const QUESTIONS = STATEMENTS.filter((one) => one.log !== "lying");

/** The files of a published log by path, as `get` of a reader wants them; `changed` replaces some. */
export function folder(log, changed = {}) {
  return async (path, range) => {
    const bytes = path in changed ? changed[path] : read(`logs/${log}/${path}`);
    if (bytes === null) throw new Error(`${path} is not there`);
    return range === undefined ? bytes : bytes.subarray(range[0], range[1]);
  };
}

/** Numbers that look random and are the same every time. */
export function* numbers(seed) {
  for (let state = seed >>> 0; ; ) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    yield state >>> 8;
  }
}

/** The first difference between what was found and what a case expects, or null. */
export function difference(found, expect) {
  const times = ["witnessed", "reveal_by"];
  for (const [key, value] of Object.entries(expect)) {
    const wanted = times.includes(key) && value !== null ? seconds(value) : value;
    if (found[key] !== wanted) return `${key}: ${found[key]} for ${wanted}`;
  }
  return null;
}
