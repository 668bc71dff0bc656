// Judges a published log by the npm package @sigstore/verify: the signature of the checkpoint and the inclusion of every
// entry. It makes no proofs, so the paths are made here, of the entries alone.
//
//   node judge.mjs DIR VKEY

import { createHash, createPublicKey } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const require = createRequire(import.meta.url);
// Neither function is among the package's exports; its version is pinned.
const inside = (file) => join(dirname(require.resolve("@sigstore/verify/package.json")), "dist/tlog", file);
const { verifyCheckpoint } = require(inside("checkpoint.js"));
const { verifyMerkleInclusion } = require(inside("merkle.js"));

const [dir, vkey] = process.argv.slice(2);
const sha256 = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();

/** The pinned key as the package wants its logs. */
function log() {
  const [name, id, ...rest] = vkey.split("+");
  const raw = Buffer.from(rest.join("+"), "base64").subarray(1);
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), raw]);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  return { name, baseURL: name, logID: Buffer.from(id, "hex"), publicKey };
}

const number = (n) => String(n).padStart(3, "0");

/** Every entry of every bundle. */
function entries(size) {
  const out = [];
  for (let bundle = 0; bundle * 256 < size; bundle += 1) {
    if (bundle >= 1000) throw new Error("this judge reads logs of at most 256,000 entries");
    const width = Math.min(256, size - bundle * 256);
    const bytes = readFileSync(join(dir, `tile/entries/${number(bundle)}${width === 256 ? "" : `.p/${width}`}`));
    for (let at = 0; at < bytes.length; ) {
      const end = at + 2 + bytes.readUInt16BE(at);
      if (end > bytes.length) throw new Error("a bundle is cut off");
      out.push(bytes.subarray(at + 2, end));
      at = end;
    }
  }
  if (out.length !== size) throw new Error(`${out.length} entries, not ${size}`);
  return out;
}

/** The hashes of all perfect subtrees and of those at the right edge, level by level, so that a path is a look-up. */
function levels(leaves) {
  const all = [leaves];
  while (all.at(-1).length > 1) {
    const below = all.at(-1);
    const above = [];
    for (let at = 0; at < below.length; at += 2) {
      above.push(at + 1 < below.length ? sha256(Buffer.of(1), below[at], below[at + 1]) : below[at]);
    }
    all.push(above);
  }
  return all;
}

function path(all, index) {
  const siblings = all.map((level, height) => level[Math.floor(index / 2 ** height) ^ 1]);
  return siblings.filter((hash) => hash !== undefined);
}

try {
  const pinned = log();
  const envelope = readFileSync(join(dir, "checkpoint"), "utf8");
  const checkpoint = verifyCheckpoint({ inclusionProof: { checkpoint: { envelope } } }, [pinned]);
  if (checkpoint.origin !== pinned.name) throw new Error("another log's checkpoint");
  const leaves = entries(Number(checkpoint.logSize));
  const all = levels(leaves.map((leaf) => sha256(Buffer.of(0), leaf)));
  for (const [index, leaf] of leaves.entries()) {
    const inclusionProof = { logIndex: String(index), hashes: path(all, index) };
    verifyMerkleInclusion({ inclusionProof, canonicalizedBody: leaf }, checkpoint);
  }
  console.log(`1 checkpoint, ${leaves.length} inclusion proofs: ${1 + leaves.length} passed`);
} catch (error) {
  console.error(`refused: ${error.message}`);
  process.exit(1);
}
