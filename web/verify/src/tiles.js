// A log's tree as static files (c2sp.org/tlog-tiles). Every tile and bundle is checked against the checkpoint's root before
// anything in it is used, so that a host can withhold but not invent.

import { equal, refuse } from "./bytes.js";
import { consistencyPath, hashChildren, hashLeaf, inclusionPath, rootOf, split } from "./merkle.js";

/** How many hashes a full tile has, and entries a full bundle. */
export const WIDTH = 256;

/** `number` as in a path: x001/x234/067. */
export function tileNumber(number) {
  const last = String(number % 1000).padStart(3, "0");
  let text = last;
  for (let rest = Math.floor(number / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    text = `x${String(rest % 1000).padStart(3, "0")}/${text}`;
  }
  return text;
}

/** A file of up to 256 rows out of `total`: a partial one may have become a full one since. */
export async function getRows(get, folder, number, total, range) {
  const width = Math.min(WIDTH, total - WIDTH * number);
  const path = `${folder}/${tileNumber(number)}`;
  if (width === WIDTH) return get(path, range);
  try {
    return await get(`${path}.p/${width}`, range);
  } catch {
    return get(path, range);
  }
}

/** Takes a bundle apart: two bytes of length, then the item; `count` items of however many there are. */
export function bundleItems(bytes, count, part) {
  const items = [];
  let at = 0;
  while (items.length < count) {
    const length = at + 2 <= bytes.length ? bytes[at] * 256 + bytes[at + 1] : Infinity;
    if (at + 2 + length > bytes.length) refuse(part, "a bundle is cut off");
    items.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return items;
}

export class Tree {
  /** The tree of a checkpoint; `get` gives the bytes of a file below the log's prefix. */
  constructor(get, checkpoint) {
    this.get = get;
    this.size = checkpoint.size;
    this.root = checkpoint.root;
    this.tiles = new Map();
    this.bundles = new Map();
  }

  width(level) {
    return Math.floor(this.size / WIDTH ** level);
  }

  /** Loads the tiles at the right edge, which together have the root, and checks that they do. */
  async open() {
    const peaks = [];
    for (let level = 0; this.width(level) > 0; level += 1) {
      const full = Math.floor(this.width(level) / WIDTH);
      if (this.width(level) % WIDTH === 0) continue;
      const hashes = await this.fetchTile(level, full);
      this.tiles.set(`${level}/${full}`, hashes);
      peaks.unshift(...(await peaksOf(hashes)));
    }
    let root = peaks.pop();
    while (peaks.length > 0) root = await hashChildren(peaks.pop(), root);
    if (root === undefined || !equal(root, this.root)) refuse("tiles", "the tiles do not have the checkpoint's root");
    return this;
  }

  async fetchTile(level, number) {
    const count = Math.min(WIDTH, this.width(level) - WIDTH * number);
    const bytes = await getRows(this.get, `tile/${level}`, number, this.width(level));
    if (bytes.length < count * 32) refuse("tiles", "a tile is cut off");
    return Array.from({ length: count }, (_, at) => bytes.subarray(32 * at, 32 * at + 32));
  }

  /** A tile that is known to be in the tree: a full one is an item of the tile above it. */
  async tile(level, number) {
    const name = `${level}/${number}`;
    if (this.tiles.has(name)) return this.tiles.get(name);
    const hashes = await this.fetchTile(level, number);
    const above = await this.tile(level + 1, Math.floor(number / WIDTH));
    if (!equal(await rootOf(hashes), above[number % WIDTH])) refuse("tiles", `the tile ${name} is not the one in the tree`);
    this.tiles.set(name, hashes);
    return hashes;
  }

  /** The hash over the leaves from `from` up to `to`, a range that RFC 6962 splits trees into. */
  async range(from, to) {
    const size = to - from;
    const left = size === 1 ? 1 : split(size);
    if (size > 1 && left * 2 !== size) {
      return hashChildren(await this.range(from, from + left), await this.range(from + left, to));
    }
    let level = 0;
    while (WIDTH ** (level + 1) <= size) level += 1;
    const unit = WIDTH ** level;
    const start = from / unit;
    const hashes = await this.tile(level, Math.floor(start / WIDTH));
    return rootOf(hashes.slice(start % WIDTH, (start % WIDTH) + size / unit));
  }

  inclusion(index) {
    return inclusionPath((from, to) => this.range(from, to), index, 0, this.size);
  }

  consistency(oldSize) {
    return consistencyPath((from, to) => this.range(from, to), oldSize, this.size);
  }

  get bundleCount() {
    return Math.ceil(this.size / WIDTH);
  }

  /** The entries of a bundle, each of which is a leaf of the tree. */
  async bundle(number) {
    if (this.bundles.has(number)) return this.bundles.get(number);
    const hashes = await this.tile(0, number);
    const entries = bundleItems(await getRows(this.get, "tile/entries", number, this.size), hashes.length, "tiles");
    for (const [at, entry] of entries.entries()) {
      if (!equal(await hashLeaf(entry), hashes[at])) refuse("tiles", `entry ${number * WIDTH + at} is not the one in the tree`);
    }
    this.bundles.set(number, entries);
    return entries;
  }
}

/** The perfect subtrees over a tile's hashes, from the left. */
async function peaksOf(hashes) {
  const peaks = [];
  let at = 0;
  for (let size = WIDTH / 2; size >= 1; size /= 2) {
    if (hashes.length - at < size) continue;
    peaks.push(await rootOf(hashes.slice(at, at + size)));
    at += size;
  }
  return peaks;
}
