// What this browser has seen of a log before. A log that shows two people, or one person at two times, histories that do
// not continue each other has forked.

import { base64, fromBase64 } from "./bytes.js";
import { provesConsistency } from "./merkle.js";
import { sameCheckpoint } from "./note.js";

const keyOf = (origin) => `placet-verify ${origin}`;

/** The last checkpoint seen of a log, or null. `store` is the browser's localStorage or like it. */
export function recall(store, origin) {
  try {
    const { size, root, note } = JSON.parse(store.getItem(keyOf(origin)));
    const hash = fromBase64(root);
    return Number.isSafeInteger(size) && size >= 0 && hash?.length === 32 ? { origin, size, root: hash, note } : null;
  } catch {
    return null;
  }
}

/** Keeps a checkpoint; says whether it could. */
export function remember(store, { origin, size, root, note }) {
  try {
    store.setItem(keyOf(origin), JSON.stringify({ size, root: base64(root), note }));
    return true;
  } catch {
    return false;
  }
}

/**
 * How a checkpoint relates to the one seen before: "first", "same", "grown", "older" or "fork"; "unchecked" if only a tree of
 * the log could tell and none is at hand.
 */
export async function compare(before, checkpoint, tree) {
  if (before === null) return "first";
  if (before.size === checkpoint.size) return sameCheckpoint(before, checkpoint) ? "same" : "fork";
  if (before.size > checkpoint.size) return "older";
  if (tree === null) return "unchecked";
  const path = await tree.consistency(before.size);
  return (await provesConsistency(before.size, before.root, checkpoint.size, checkpoint.root, path)) ? "grown" : "fork";
}

/**
 * What shows a fork to anyone: both signed checkpoints, and where the second is larger, the root that it has for the size of
 * the first, with the consistency proof of that.
 */
export async function forkEvidence(before, checkpoint, tree) {
  const parts = [
    "Two signed checkpoints of one log that contradict each other.",
    "--- seen before",
    before.note,
    "--- shown now",
    checkpoint.note,
  ];
  if (tree !== null && before.size > 0 && before.size < checkpoint.size) {
    const root = base64(await tree.range(0, before.size));
    const path = (await tree.consistency(before.size)).map(base64);
    parts.push(`--- the root of the first ${before.size} entries under the second, which is not the first's`, root);
    parts.push("--- shown by this consistency proof (RFC 6962, 2.1.2)", ...path);
  }
  return `${parts.join("\n")}\n`;
}
