// Merkle trees (RFC 6962, 2.1) and the checking of their proofs (RFC 9162, 2.1.3.2 and 2.1.4.2). Sizes are safe integers.

import { equal, sha256 } from "./bytes.js";

const ZERO = Uint8Array.of(0);
const ONE = Uint8Array.of(1);
const MAX_PROOF = 63;

export const hashLeaf = (entry) => sha256(ZERO, entry);
export const hashChildren = (left, right) => sha256(ONE, left, right);

const half = (number) => Math.floor(number / 2);
const odd = (number) => number % 2 === 1;

/** The largest power of two below `size`, which is 2 or more. */
export function split(size) {
  let power = 1;
  while (power * 2 < size) power *= 2;
  return power;
}

/** Whether the leaf with this hash is leaf `index` of the tree of `size` leaves with `root`. */
export async function provesInclusion(leafHash, index, size, path, root) {
  if (!Number.isSafeInteger(size) || !Number.isSafeInteger(index)) return false;
  if (index < 0 || index >= size || path.length > MAX_PROOF) return false;
  let at = index;
  let last = size - 1;
  let hash = leafHash;
  for (const sibling of path) {
    if (last === 0) return false;
    if (odd(at) || at === last) {
      hash = await hashChildren(sibling, hash);
      while (!odd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      hash = await hashChildren(hash, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(hash, root);
}

/** Whether the tree of `oldSize` leaves with `oldRoot` is the beginning of the tree of `size` leaves with `root`. */
export async function provesConsistency(oldSize, oldRoot, size, root, path) {
  if (![oldSize, size].every(Number.isSafeInteger) || oldSize < 0 || oldSize > size || path.length > MAX_PROOF) return false;
  if (oldSize === 0) return path.length === 0 && equal(oldRoot, await sha256(ZERO.subarray(1)));
  if (oldSize === size) return path.length === 0 && equal(oldRoot, root);
  let at = oldSize - 1;
  let last = size - 1;
  while (odd(at)) [at, last] = [half(at), half(last)];
  // A perfect old tree is itself the first hash, and is left out of the proof.
  const hashes = at === 0 ? [oldRoot, ...path] : path;
  if (hashes.length === 0) return false;
  let [older, newer] = [hashes[0], hashes[0]];
  for (const sibling of hashes.slice(1)) {
    if (last === 0) return false;
    if (odd(at) || at === last) {
      older = await hashChildren(sibling, older);
      newer = await hashChildren(sibling, newer);
      while (!odd(at) && at !== 0) [at, last] = [half(at), half(last)];
    } else {
      newer = await hashChildren(newer, sibling);
    }
    [at, last] = [half(at), half(last)];
  }
  return last === 0 && equal(older, oldRoot) && equal(newer, root);
}

/**
 * Paths through a tree whose subtrees `range(from, to)` hashes: what leads from a leaf to the root, and what shows an
 * older tree to be its beginning.
 */
export async function inclusionPath(range, index, from, to) {
  if (to - from === 1) return [];
  const middle = from + split(to - from);
  return index < middle
    ? [...(await inclusionPath(range, index, from, middle)), await range(middle, to)]
    : [...(await inclusionPath(range, index, middle, to)), await range(from, middle)];
}

export async function consistencyPath(range, oldSize, size) {
  if (oldSize === 0 || oldSize === size) return [];
  return subproof(range, oldSize, 0, size, true);
}

async function subproof(range, oldSize, from, to, whole) {
  if (oldSize === to - from) return whole ? [] : [await range(from, to)];
  const left = split(to - from);
  const middle = from + left;
  return oldSize <= left
    ? [...(await subproof(range, oldSize, from, middle, whole)), await range(middle, to)]
    : [...(await subproof(range, oldSize - left, middle, to, false)), await range(from, middle)];
}

/** The hash over a list of subtrees of one size, or of leaf hashes. */
export async function rootOf(hashes) {
  if (hashes.length === 1) return hashes[0];
  const middle = split(hashes.length);
  return hashChildren(await rootOf(hashes.slice(0, middle)), await rootOf(hashes.slice(middle)));
}
