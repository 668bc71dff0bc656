// Makes a statement proof from a published log. It only looks for the pieces; whether they prove anything is checked
// afterwards, by the same code that checks a proof from elsewhere.

import { base64url, hex, refuse, textOf, utf8 } from "./bytes.js";
import { momentOf, parseEntry, parseRoster } from "./entry.js";
import { canonical } from "./json.js";
import { hashLeaf, inclusionPath, rootOf } from "./merkle.js";
import { parseCheckpoint, parseNote } from "./note.js";
import { SLOT_SIZE, readSlot, unseal } from "./slot.js";
import { Tree, WIDTH, bundleItems, getRows } from "./tiles.js";

/** How many bundles are read in search of a reveal or an order: 16,384 entries each way. */
export const REACH = 64;

/** Reads from a log at one checkpoint. */
export class Reader {
  constructor(tree, get, genesis) {
    Object.assign(this, { tree, get, genesis });
    /** What was looked for in a part of the log only. */
    this.limits = [];
  }

  static async open(get, checkpoint) {
    const tree = await new Tree(get, checkpoint).open();
    const genesis = await parseEntry((await tree.bundle(0))[0], "genesis");
    if (genesis.type !== "genesis") refuse("genesis", "the log's first entry is no genesis");
    return new Reader(tree, get, genesis);
  }

  /** The entries of a bundle, read, with their index. */
  async bundle(number) {
    const entries = await this.tree.bundle(number);
    const read = async (entry, at) => {
      const index = number * WIDTH + at;
      return { ...(await parseEntry(entry, `entry ${index}`)), index };
    };
    return Promise.all(entries.map(read));
  }

  async ticks(number) {
    return (await this.bundle(number)).filter((entry) => entry.type === "tick");
  }

  /** The first tick in this bundle or a later one. */
  async tickFrom(number) {
    for (let at = number; at < this.tree.bundleCount; at += 1) {
      const [first] = await this.ticks(at);
      if (first !== undefined) return first;
    }
    return undefined;
  }

  async lastTick() {
    for (let at = this.tree.bundleCount - 1; at >= 0; at -= 1) {
      const last = (await this.ticks(at)).pop();
      if (last !== undefined) return last;
    }
    return undefined;
  }

  /** The last bundle whose first tick, or the first one after it, starts at or before `at`; -1 if there is none. */
  async bundleOf(at) {
    let [low, high] = [-1, this.tree.bundleCount - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      const tick = await this.tickFrom(middle);
      if (tick !== undefined && tick.t <= at) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The last tick that starts at or before `at`, and the one after it. */
  async ticksAround(at) {
    const number = await this.bundleOf(at);
    if (number < 0) return { tick: undefined, next: await this.tickFrom(0) };
    const ticks = await this.ticks(number);
    const next = ticks.find((tick) => tick.t > at) ?? (await this.tickFrom(number + 1));
    return { tick: ticks.filter((tick) => tick.t <= at).pop(), next };
  }

  async reveal(tick) {
    // An open log reveals soon; a sealed one not before the date.
    const sealed = this.genesis.mode === "sealed";
    const start = sealed ? await this.bundleOf(tick.reveal_by - 2 * this.genesis.interval) : Math.floor(tick.index / WIDTH);
    const end = Math.min(this.tree.bundleCount, Math.max(start, 0) + REACH);
    for (let at = Math.max(start, 0); at < end; at += 1) {
      const found = (await this.bundle(at)).find((entry) => entry.type === "reveal" && entry.n === tick.n);
      if (found !== undefined) return found;
    }
    if (end < this.tree.bundleCount) this.limits.push(`A reveal was looked for up to entry ${end * WIDTH} only.`);
    return undefined;
  }

  /** The last event before the tick that names the search's order, its purpose and the camera; else the first after it. */
  async order(tick, search, camera) {
    const names = ({ public: order }) =>
      order !== undefined && hex(order.order) === search.order && order.purpose === search.purpose && order.cameras.includes(camera);
    const home = Math.floor(tick.index / WIDTH);
    const first = Math.max(0, home - REACH);
    for (let at = home; at >= first; at -= 1) {
      const found = (await this.bundle(at)).filter((entry) => entry.index < tick.index && names(entry)).pop();
      if (found !== undefined) return found;
    }
    const end = Math.min(this.tree.bundleCount, home + REACH);
    for (let at = home; at < end; at += 1) {
      const found = (await this.bundle(at)).find((entry) => entry.index > tick.index && names(entry));
      if (found !== undefined) return found;
    }
    if (first > 0 || end < this.tree.bundleCount) {
      this.limits.push(`The order was looked for in entries ${first * WIDTH} to ${Math.min(end * WIDTH, this.tree.size)} only.`);
    }
    return undefined;
  }

  /** An entry as a proof has it. */
  async shown({ index }) {
    const entry = (await this.tree.bundle(Math.floor(index / WIDTH)))[index % WIDTH];
    const path = await this.tree.inclusion(index);
    return { index, entry: textOf(entry, `entry ${index}`), path: path.map(base64url) };
  }

  /** One camera's slot of a tick, with its path. */
  async slot(tick, total, number) {
    const { slots } = this.genesis;
    const from = (tick.n % WIDTH) * SLOT_SIZE * slots;
    const side = await getRows(this.get, "slots", Math.floor(tick.n / WIDTH), total, [from, from + SLOT_SIZE * slots]);
    if (side.length !== SLOT_SIZE * slots) refuse("slot", "the side file of the tick is cut off");
    const leaves = Array.from({ length: slots }, (_, at) => side.subarray(SLOT_SIZE * at, SLOT_SIZE * (at + 1)));
    if (leaves[number] === undefined) refuse("roster", "the roster gives the camera a slot that the log does not have");
    const hashes = await Promise.all(leaves.map(hashLeaf));
    const range = (low, high) => rootOf(hashes.slice(low, high));
    return { bytes: leaves[number], path: await inclusionPath(range, number, 0, slots) };
  }

  /** The tick's item of `cosigned`, with the path that proves the tick under it. */
  async cosigned(tick, total) {
    if (tick.n >= total - 1) return undefined;
    const number = Math.floor(tick.n / WIDTH);
    const file = await getRows(this.get, "cosigned", number, total - 1);
    const item = bundleItems(file, (tick.n % WIDTH) + 1, "cosigned").pop();
    if (item.length === 0) return undefined;
    const { size } = parseCheckpoint(parseNote(item, "cosigned").text, "cosigned");
    if (size <= tick.index || size > this.tree.size) refuse("cosigned", "the tick's item is of a tree without the tick");
    const path = await inclusionPath((from, to) => this.tree.range(from, to), tick.index, 0, size);
    return { checkpoint: textOf(item, "cosigned"), path: path.map(base64url) };
  }
}

/** A statement proof of the camera at the second `at`, as canonical JSON. */
export async function makeStatement(log, note, camera, at) {
  const { tick, next } = await log.ticksAround(at);
  const proof = { type: "statement-proof", v: 1, camera, at: momentOf(at), checkpoint: note, genesis: await log.shown({ index: 0 }) };
  const covers = tick !== undefined && at < tick.t + log.genesis.interval;
  if (!covers && next !== undefined) proof.next = await log.shown(next);
  if (tick !== undefined) {
    proof.tick = await log.shown(tick);
    proof.roster = textOf(await log.get(`roster/${hex(tick.roster)}`), "roster");
  }
  if (covers) await addStatement(log, proof, tick, camera);
  return utf8(canonical(proof));
}

async function addStatement(log, proof, tick, camera) {
  const total = (await log.lastTick()).n + 1;
  const cosigned = await log.cosigned(tick, total);
  if (cosigned !== undefined) proof.cosigned = cosigned;
  const number = parseRoster(proof.roster, "roster").get(camera);
  if (number === undefined) return;
  const slot = await log.slot(tick, total, number);
  proof.slot = { bytes: base64url(slot.bytes), path: slot.path.map(base64url) };
  const reveal = await log.reveal(tick);
  if (reveal === undefined) return;
  proof.reveal = await log.shown(reveal);
  const plain = await unseal(reveal.seed, tick.n, number, slot.bytes);
  const search = plain === null ? null : readSlot(plain);
  const order = search?.state === "on" ? await log.order(tick, search, camera) : undefined;
  if (order !== undefined) proof.order = await log.shown(order);
}
