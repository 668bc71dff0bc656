// Whom to believe (c2sp.org/tlog-policy): the log's keys, the witnesses' keys, and how many of them must have seen a
// checkpoint. The policy is part of this page. It is never fetched from the log that it judges.

import { equal, refuse, textOf, utf8 } from "./bytes.js";
import { LOG_KEY, WITNESS_KEY, cosigners, parseCheckpoint, parseNote, readKey, signers } from "./note.js";

const PART = "policy";

/** Reads a policy file. */
export async function parsePolicy(bytes) {
  const text = textOf(bytes, PART);
  if (bytes.length > 1024 * 1024) refuse(PART, "the policy is too long");
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text)) refuse(PART, "the policy has a control character");
  if (!text.endsWith("\n")) refuse(PART, "the policy's last line lacks its newline");
  const policy = { text, logs: [], witnesses: [], nodes: new Map(), members: new Set(), quorum: undefined };
  for (const [at, line] of text.split("\n").entries()) {
    const words = line.split(/[ \t]+/).filter((word) => word !== "");
    if (words.length === 0 || words[0].startsWith("#")) continue;
    try {
      await readLine(policy, words);
    } catch (error) {
      refuse(PART, `line ${at + 1} of the policy: ${error.message}`);
    }
  }
  if (policy.quorum === undefined) refuse(PART, "the policy has no quorum line");
  return policy;
}

function readLine(policy, words) {
  const [verb, first, ...rest] = words;
  if (verb === "log" && [2, 3].includes(words.length)) return readLog(policy, first, rest[0]);
  if (verb === "witness" && [3, 4].includes(words.length)) return readWitness(policy, first, rest[0], rest[1]);
  if (verb === "group" && words.length >= 4) return readGroup(policy, first, rest[0], rest.slice(1));
  if (verb === "quorum" && words.length === 2) return readQuorum(policy, first);
  return refuse(PART, "it is neither log, witness, group nor quorum");
}

async function readLog(policy, text, url) {
  const key = await readKey(text, LOG_KEY, PART);
  if (policy.logs.some((log) => equal(log.key.bytes, key.bytes))) refuse(PART, "the same public key stands twice");
  policy.logs.push({ key, url });
}

async function readWitness(policy, name, text, url) {
  const key = await readKey(text, WITNESS_KEY, PART);
  if (policy.witnesses.some((witness) => equal(witness.key.bytes, key.bytes))) {
    refuse(PART, "the same public key stands twice");
  }
  define(policy, name, { name, key });
  policy.witnesses.push({ name, key, url });
}

function readGroup(policy, name, threshold, names) {
  const number = threshold === "all" ? names.length : threshold === "any" ? 1 : Number(threshold);
  const fits = /^(all|any|[1-9][0-9]{0,3})$/.test(threshold) && number <= names.length;
  if (!fits) refuse(PART, `a threshold is all, any, or a number from 1 to ${names.length}`);
  const members = names.map((member) => known(policy, member));
  for (const member of members) {
    if (policy.members.has(member)) refuse(PART, `\`${member.name}\` is a member already; it can count once only`);
    policy.members.add(member);
  }
  define(policy, name, { name, threshold: number, members });
}

function readQuorum(policy, name) {
  if (policy.quorum !== undefined) refuse(PART, "a policy has one quorum line");
  policy.quorum = name === "none" ? null : known(policy, name);
}

const known = (policy, name) => policy.nodes.get(name) ?? refuse(PART, `no line above defines \`${name}\``);

function define(policy, name, node) {
  if (name === "none" || policy.nodes.has(name)) refuse(PART, `\`${name}\` cannot be defined`);
  policy.nodes.set(name, node);
}

/** Whether the witnesses with these keys meet a node of the policy. */
function isMet(node, keys) {
  if (node === null) return true;
  if (node.members === undefined) return keys.includes(node.key);
  return node.members.filter((member) => isMet(member, keys)).length >= node.threshold;
}

/**
 * Reads a checkpoint that a log of the policy signed. `witnessed` is the second at which enough witnesses had seen it:
 * null where the policy asks for none, undefined where too few have.
 */
export async function openCheckpoint(policy, note, part) {
  const parsed = parseNote(utf8(note), part);
  const checkpoint = parseCheckpoint(parsed.text, part);
  const logKeys = policy.logs.map((log) => log.key).filter((key) => key.name === checkpoint.origin);
  if (logKeys.length === 0) refuse(part, `it is of the log \`${checkpoint.origin}\`, which is not the pinned one`);
  const signed = await signers(parsed, logKeys, part);
  if (signed.length === 0) refuse(part, "no pinned key of the log signed it");
  const witnessKeys = policy.witnesses.map((witness) => witness.key);
  const seen = (await cosigners(parsed, witnessKeys, part)).sort((a, b) => a.time - b.time);
  const enough = [...seen.keys(), seen.length].find((count) => isMet(policy.quorum, seen.slice(0, count).map((c) => c.key)));
  const witnessed = enough === undefined ? undefined : enough === 0 ? null : seen[enough - 1].time;
  const by = policy.witnesses.filter((witness) => seen.some((c) => c.key === witness.key)).map((witness) => witness.name);
  return { ...checkpoint, note, witnessed, by, signedBy: signed.map((s) => `${s.key.name}+${s.key.id}`) };
}

/** The same, refused if too few witnesses have seen it. */
export async function acceptCheckpoint(policy, note, part) {
  const checkpoint = await openCheckpoint(policy, note, part);
  if (checkpoint.witnessed === undefined) {
    const by = checkpoint.by.length === 0 ? "none" : checkpoint.by.join(", ");
    refuse(part, `too few of the policy's witnesses have seen the checkpoint: ${by}`);
  }
  return checkpoint;
}

/** A group or witness in words, for the reader: "1 of (alfa-1, alfa-2)". */
export function describe(node) {
  if (node === null) return "no witness is asked for";
  if (node.members === undefined) return `${node.name} (key id ${node.key.id})`;
  const members = node.members.map(describe).join("; ");
  return `${node.name}: ${node.threshold} of [${members}]`;
}
