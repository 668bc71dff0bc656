// Statement proofs (docs/formats/published-log.md): all that it takes to check what a log states of one camera at one
// instant. Nothing in the file is believed before it is checked, and nothing that is not needed may be there.

import { equal, hex, misbehaved, refuse, sha256, utf8 } from "./bytes.js";
import { camera, momentField, parseEntry, parseRoster } from "./entry.js";
import { bytes, integer, list, oneOf, optional, readObject, readShape, text } from "./json.js";
import { hashLeaf, provesInclusion } from "./merkle.js";
import { acceptCheckpoint, openCheckpoint } from "./policy.js";
import { SLOT_SIZE, readSlot, unseal } from "./slot.js";

export const MAX_PROOF_FILE = 8 * 1024 * 1024;

const any = text(() => true, "");
const hashes = list(63, bytes(32));
const within = (shape) => ({ read: (value, part) => readShape(value, shape, () => part) });
const entry = within({ index: integer(), entry: any, path: hashes });

const PROOF = {
  type: oneOf("statement-proof"),
  v: integer(1, 1),
  camera,
  at: momentField,
  checkpoint: any,
  genesis: entry,
  tick: optional(entry),
  next: optional(entry),
  roster: optional(any),
  slot: optional(within({ bytes: bytes(SLOT_SIZE), path: hashes })),
  reveal: optional(entry),
  order: optional(entry),
  cosigned: optional(within({ checkpoint: any, path: hashes })),
};

/** Reads a proof; nothing in it is checked against anything yet. */
export function parseStatement(file) {
  return readShape(readObject(file, MAX_PROOF_FILE, "file"), PROOF, (key) => key || "file");
}

/**
 * What follows from a proof for the reader's policy at `now`, in seconds. Refuses whatever proves nothing.
 * The answer is on, off, will-be-shown, unknown or misbehaved; `checks` says in words what was found to hold.
 */
export async function verifyStatement(file, policy, now) {
  const proof = parseStatement(file);
  const checks = [];
  const checkpoint = await acceptCheckpoint(policy, proof.checkpoint, "checkpoint");
  checks.push(
    `The checkpoint of ${checkpoint.size} entries is signed by a pinned key of the log: ${checkpoint.signedBy.join(", ")}.`,
  );
  if (policy.quorum !== null) checks.push(`Enough witnesses of the policy have seen it: ${checkpoint.by.join(", ")}.`);
  const context = { proof, policy, checkpoint, checks, now };
  context.genesis = await readGenesis(context);
  await readTicks(context);
  const facts = {
    camera: proof.camera,
    at: proof.at,
    origin: checkpoint.origin,
    size: checkpoint.size,
    mode: context.genesis.mode,
    checkpoint,
    checks,
  };
  return { ...facts, ...(await conclude(context)) };
}

/** An entry of the type wanted that is included under the checkpoint. */
async function included({ proof, checkpoint }, part, type) {
  const { index, entry: body, path } = proof[part];
  const leaf = utf8(body);
  const found = await parseEntry(leaf, part);
  if (found.type !== type) refuse(part, `it is an entry of the type ${found.type}, not ${type}`);
  if (!(await provesInclusion(await hashLeaf(leaf), index, checkpoint.size, path, checkpoint.root))) {
    refuse(part, "its path does not lead from the entry to the checkpoint's root");
  }
  return { ...found, index };
}

async function readGenesis(context) {
  const genesis = await included(context, "genesis", "genesis");
  if (genesis.index !== 0) misbehaved("genesis", "it is not the first entry");
  if (genesis.origin !== context.checkpoint.origin) refuse("genesis", "it is another log's");
  context.checks.push(
    `The log's first entry is in it and names the same log; its interval is ${genesis.interval} seconds.`,
  );
  return genesis;
}

/** A tick that keeps the genesis' dates. */
async function readTick(context, part) {
  const tick = await included(context, part, "tick");
  const { interval, reveal_delay: delay, t } = context.genesis;
  if (tick.t < t) misbehaved(part, "it starts before its log");
  if (tick.reveal_by !== tick.t + interval + delay)
    misbehaved(part, "its date of showing is not the one that the genesis sets");
  return tick;
}

const absent = ({ proof }, parts, why) => {
  for (const part of parts) if (proof[part] !== undefined) refuse(part, `it is not needed: ${why}`);
};

/** The tick of the instant and the next one, as far as they are shown. */
async function readTicks(context) {
  const { proof, genesis, checks } = context;
  if (proof.tick !== undefined) {
    context.tick = await readTick(context, "tick");
    if (context.tick.t > proof.at) refuse("tick", "it starts after the instant asked about");
    context.covers = proof.at < context.tick.t + genesis.interval;
    checks.push(`Tick ${context.tick.n} is entry ${context.tick.index} of the log.`);
  }
  if (context.covers) absent(context, ["next"], "the instant lies in the tick's interval");
  if (proof.next === undefined) return;
  const next = await readTick(context, "next");
  if (next.n !== (context.tick === undefined ? 0 : context.tick.n + 1)) refuse("next", "its number does not follow");
  if (context.tick !== undefined && next.index <= context.tick.index) misbehaved("next", "it stands before the tick");
  if (next.t <= proof.at) refuse("next", "it starts at or before the instant asked about");
  context.next = next;
  checks.push(`The next tick, number ${next.n}, is entry ${next.index} and starts later.`);
}

async function conclude(context) {
  const { proof, tick, next } = context;
  const inTickOnly = ["cosigned", "slot", "reveal", "order"];
  if (tick === undefined) {
    absent(context, ["roster", ...inTickOnly], "there is no tick");
    const since = next === undefined ? {} : { until: next.t };
    return { answer: "unknown", reason: next === undefined ? "not-yet" : "before", ...since };
  }
  const slots = await readRoster(context);
  if (!context.covers) {
    absent(context, inTickOnly, "the instant is not in the tick's interval");
    const from = tick.t + context.genesis.interval;
    return { answer: "unknown", reason: next === undefined ? "not-yet" : "gap", from, ...(next && { until: next.t }) };
  }
  const stated = {
    tick: tick.n,
    from: tick.t,
    until: tick.t + context.genesis.interval,
    ...(await readWitnessing(context)),
  };
  const number = slots.get(proof.camera);
  if (number === undefined) {
    absent(context, ["slot", "reveal", "order"], "the roster does not list the camera");
    return { ...stated, answer: "unknown", reason: "not-a-camera" };
  }
  if (number >= context.genesis.slots) misbehaved("roster", "it gives the camera a slot that no tick of the log has");
  await checkSlot(context, number);
  return { ...stated, ...(await openSlot(context, number)) };
}

async function readRoster({ proof, tick, checks }) {
  if (proof.roster === undefined) refuse("roster", "the tick's roster is missing");
  if (!equal(await sha256(utf8(proof.roster)), tick.roster)) refuse("roster", "it is not the one that the tick names");
  const slots = parseRoster(proof.roster, "roster");
  checks.push(`The roster of cameras is the one that the tick names; it lists ${slots.size}.`);
  return slots;
}

async function checkSlot({ proof, tick, genesis, checks }, number) {
  if (proof.slot === undefined) refuse("slot", "the roster lists the camera, and its slot is missing");
  const { bytes: slot, path } = proof.slot;
  if (!(await provesInclusion(await hashLeaf(slot), number, genesis.slots, path, tick.slots))) {
    refuse("slot", "its path does not lead from the camera's slot to the root in the tick");
  }
  checks.push(`Slot ${number}, which the roster gives ${proof.camera}, is the one that the tick committed to.`);
}

/** When enough witnesses had first seen the tick, as far as the proof shows it. */
async function readWitnessing({ proof, policy, checkpoint, tick, checks }) {
  const times = [checkpoint.witnessed];
  if (proof.cosigned !== undefined) {
    const part = "cosigned";
    const first = await openCheckpoint(policy, proof.cosigned.checkpoint, part);
    if (first.origin !== checkpoint.origin) refuse(part, "it is of another log");
    if (first.size > checkpoint.size) refuse(part, "it is larger than the checkpoint");
    if (first.size === checkpoint.size && !equal(first.root, checkpoint.root))
      misbehaved(part, "it contradicts the checkpoint: a fork");
    const leaf = await hashLeaf(utf8(proof.tick.entry));
    if (!(await provesInclusion(leaf, tick.index, first.size, proof.cosigned.path, first.root))) {
      refuse(part, "its path does not lead from the tick to its root");
    }
    times.push(first.witnessed);
    checks.push(
      `The tick is also under an earlier checkpoint of ${first.size} entries, seen by: ${first.by.join(", ") || "no witness"}.`,
    );
  }
  const known = times.filter((time) => typeof time === "number");
  const witnessed = known.length === 0 ? null : Math.min(...known);
  return { witnessed, in_time: witnessed !== null && witnessed <= proof.at };
}

async function openSlot(context, number) {
  const { proof, tick, genesis, checks, now } = context;
  if (proof.reveal === undefined) {
    absent(context, ["order"], "nothing is opened");
    const { reveal_by } = tick;
    return now <= reveal_by
      ? { answer: "will-be-shown", reveal_by }
      : { answer: "unknown", reason: "overdue", reveal_by };
  }
  const reveal = await included(context, "reveal", "reveal");
  if (reveal.n !== tick.n) refuse("reveal", "it is another tick's");
  if (reveal.index <= tick.index) misbehaved("reveal", "it stands before its tick");
  if (reveal.t < tick.t + genesis.interval) misbehaved("reveal", "it was given before the tick's interval was over");
  const plain = await unseal(reveal.seed, tick.n, number, proof.slot.bytes);
  const slot = plain === null ? null : readSlot(plain);
  if (slot?.state !== "on") absent(context, ["order"], "the slot shows no search");
  if (plain === null) return { answer: "misbehaved", reason: "does-not-open" };
  if (slot === null) return { answer: "misbehaved", reason: "no-slot" };
  if (slot.state === "no-camera") return { answer: "misbehaved", reason: "no-camera" };
  checks.push(`The tick was revealed in entry ${reveal.index}, and its seed opens the slot.`);
  if (slot.state === "no-answer") return { answer: "unknown", reason: "no-answer" };
  if (slot.state === "off") return { answer: "off" };
  const { state, ...search } = slot;
  return { answer: state, ...search, authority: await readOrder(context, slot) };
}

/** The authority that an event names for the slot's order; null without one. */
async function readOrder(context, slot) {
  const { proof, checks } = context;
  if (proof.order === undefined) return null;
  const event = await included(context, "order", "event");
  if (event.public === undefined || hex(event.public.order) !== slot.order)
    refuse("order", "it does not name the slot's order");
  if (event.public.purpose !== slot.purpose) refuse("order", "it names another purpose than the slot");
  if (!event.public.cameras.includes(proof.camera)) refuse("order", "it does not name the camera");
  checks.push(`Entry ${event.index} publishes the order and its authority.`);
  return event.public.authority;
}
