// The parts on vectors of their own: entries and slots of Placet, and what others have published on notes, trees, tiles
// and Ed25519.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { fromHex, json, read, text } from "./vectors.js";
import { Refused, base64, base64url, fromBase64, fromBase64url, hex, utf8 } from "../src/bytes.js";
import { isHonestPoint, verifyEd25519 } from "../src/ed25519.js";
import { parseEntry, parseRoster } from "../src/entry.js";
import { hashLeaf, provesConsistency, provesInclusion, rootOf } from "../src/merkle.js";
import { LOG_KEY, parseCheckpoint, parseNote, readKey, signers } from "../src/note.js";
import { readSlot, unseal } from "../src/slot.js";
import { Tree, tileNumber } from "../src/tiles.js";

test("entries are read or refused as the vectors say", async (t) => {
  const leaves = json("entries/cases.json").filter((one) => one.as === "leaf");
  for (const one of leaves) {
    const parsed = parseEntry(read(`entries/${one.file}`), "entry");
    if (one.expect === "accept") await parsed;
    else await assert.rejects(parsed, Refused, one.file);
  }
  const accepted = leaves.filter((one) => one.expect === "accept").length;
  assert.ok(accepted >= 20 && leaves.length - accepted >= 80);
  t.diagnostic(`${accepted} accepted, ${leaves.length - accepted} refused`);
});

test("slots open to the states that were sealed, and to nothing under another seed, number or byte", async (t) => {
  const { ticks, bad_layouts: layouts } = json("entries/slots.json");
  let opened = 0;
  for (const { seed, tick, states, slots } of ticks) {
    for (const [number, slot] of slots.entries()) {
      const key = fromHex(seed);
      const sealed = fromHex(slot);
      const found = readSlot(await unseal(key, tick, number, sealed));
      const { state, ...rest } = states[number] ?? { state: "unused" };
      assert.deepEqual(found, { state: { unused: "no-camera", unknown: "no-answer" }[state] ?? state, ...rest });
      sealed[opened % 128] ^= 1;
      assert.equal(await unseal(key, tick, number, sealed), null);
      sealed[opened % 128] ^= 1;
      assert.equal(await unseal(key, tick === 0 ? 1 : tick - 1, number, sealed), null);
      assert.equal(await unseal(key, tick, number + 1, sealed), null);
      opened += 1;
    }
  }
  t.diagnostic(`${opened} slots, ${layouts.length} bad layouts`);
});

test("no slot says what the table does not allow", async () => {
  const plain = (...bytes) => Uint8Array.from({ length: 96 }, (_, at) => bytes[at] ?? 0);
  assert.deepEqual(readSlot(plain(1, 1)), { state: "off" });
  for (const { why, offset } of json("entries/slots.json").bad_layouts) {
    for (const state of [0, 1, 3]) {
      const bad = plain(1, state);
      bad[offset] = offset === 0 ? 2 : offset === 1 ? 4 : 9;
      assert.equal(readSlot(bad), null, why);
    }
  }
  for (const bad of [plain(1, 2), plain(1, 2, 7), plain(1, 2, 1, 1), plain(0, 1), plain(2, 1), plain(1, 4)])
    assert.equal(readSlot(bad), null);
});

test("a roster is read in its one spelling", () => {
  assert.deepEqual(
    [...parseRoster(text("entries/roster.txt"), "roster")],
    [
      ["hall-north", 0],
      ["gate.2_b", 7],
    ],
  );
  assert.equal(parseRoster("", "roster").size, 0);
  const line = (camera, slot) => `{"camera":"${camera}","slot":${slot}}\n`;
  for (const bad of [
    "\n",
    line("a", 0).slice(0, -1),
    `${line("a", 0)}\n`,
    line("A", 0),
    line("a", 65536),
    line("a", 1) + line("b", 1),
    line("a", 1) + line("a", 2),
    line("a", 1) + line("b", 0),
  ]) {
    assert.throws(() => parseRoster(bad, "roster"), { part: "roster" }, bad);
  }
});

test("base64 has one spelling", () => {
  for (let length = 0; length < 40; length += 1) {
    const bytes = Uint8Array.from({ length }, (_, at) => (at * 67 + length) & 255);
    assert.deepEqual(fromBase64(base64(bytes)), bytes);
    assert.deepEqual(fromBase64url(base64url(bytes)), bytes);
  }
  for (const bad of ["A", "AA", "AA=", "AB==", "AAB=", "====", "AA==AA==", "A A=", "AA==\n", "-_8="])
    assert.equal(fromBase64(bad), null, bad);
  for (const bad of ["A", "AA==", "AB", "AAB", "+/8", "AA\n"]) assert.equal(fromBase64url(bad), null, bad);
});

test("published notes open, and none of their lines can be changed", async (t) => {
  const { valid, bad_vkeys: bad } = json("tlog/signed-note.json");
  const sumdb = json("tlog/checkpoint-sumdb.json");
  const notes = [...valid, { vkeys: [sumdb.vkey], note: sumdb.note }];
  for (const { vkeys, note } of notes) {
    const keys = await Promise.all(vkeys.map((key) => readKey(key, LOG_KEY, "key")));
    assert.equal((await signers(parseNote(utf8(note), "note"), keys, "note")).length, vkeys.length);
    const changed = parseNote(utf8(note.replace(/[a-z]/, "Z")), "note");
    await assert.rejects(signers(changed, keys, "note"), { part: "note" });
  }
  for (const key of bad) await assert.rejects(readKey(key, LOG_KEY, "key"), { part: "key" }, key);
  t.diagnostic(`${notes.length} notes, ${bad.length} bad keys`);
});

test("notes that are spelt otherwise are refused", () => {
  const { note } = json("tlog/signed-note.json").valid[0];
  const bad = [
    note.slice(0, -1),
    note.replace("\n\n", "\n"),
    note.replace("\u2014 ", "- "),
    note.replace("aQM=", "aQM"),
    note.replace("aQM=", "aQN="),
    note.replace("example.com", "exam ple"),
    `${note}\n`,
    note.replace("This", "Th\tis"),
    note.replace("\n", "\r\n"),
    "",
  ];
  for (const one of bad) assert.throws(() => parseNote(utf8(one), "note"), Refused, one);
  for (const one of ["a\n1\n", "a\n01\nAAAA\n", "a b\n1\n\n", "a\n-1\nAA\n", "\n1\nx\n"])
    assert.throws(() => parseCheckpoint(one, "note"), Refused, one);
});

test("a checkpoint's lines and a note's signatures have their bounds", () => {
  const root = base64(new Uint8Array(32));
  assert.equal(parseCheckpoint(`a.example/log\n1\n${root}\n`, "note").size, 1);
  for (const bad of [
    `a b\n1\n${root}\n`,
    `a+b\n1\n${root}\n`,
    `a\n${2 ** 53}\n${root}\n`,
    `a\n1\n${base64(new Uint8Array(31))}\n`,
  ]) {
    assert.throws(() => parseCheckpoint(bad, "note"), Refused, bad);
  }
  const line = `\u2014 a.example/log ${base64(new Uint8Array(68))}\n`;
  assert.equal(parseNote(utf8(`text\n\n${line.repeat(100)}`), "note").signatures.length, 100);
  for (const bad of [`text\n\n${line.repeat(101)}`, `${"x\n".repeat(1024 * 1024)}\n${line}`]) {
    assert.throws(() => parseNote(utf8(bad), "note"), Refused);
  }
});

test("published Merkle proofs hold or fail as they should", async (t) => {
  let [checked, unreadable] = [0, []];
  const judge = async (one, hashes, proves) => {
    const read = [...hashes, ...(one.proof ?? [])].map(fromBase64);
    // Some have hashes that are not 32 bytes, which no checkpoint or proof of ours can hold.
    if (read.some((hash) => hash.length !== 32)) return unreadable.push(one);
    assert.equal(await proves(...read.slice(0, 2), read.slice(2)), !one.wantErr, one.file);
    return (checked += 1);
  };
  for (const one of json("tlog/merkle-inclusion.json")) {
    await judge(one, [one.leafHash, one.root], (leaf, root, path) =>
      provesInclusion(leaf, one.leafIdx, one.treeSize, path, root),
    );
  }
  for (const one of json("tlog/merkle-consistency.json")) {
    await judge(one, [one.root1, one.root2], (before, after, path) =>
      provesConsistency(one.size1, before, one.size2, after, path),
    );
  }
  assert.equal(checked + unreadable.length, 196);
  const lost = unreadable.filter((one) => !one.wantErr).map((one) => one.file);
  assert.deepEqual(lost, ["consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"]);
  t.diagnostic(`${checked} proofs, ${unreadable.length} with hashes of another length`);
});

test("the reference tree of RFC 6962 has its roots", async () => {
  const { leaves_hex: leaves, roots_hex_by_size: roots } = json("tlog/rfc6962-reference-tree.json");
  const hashes = await Promise.all(leaves.map((leaf) => hashLeaf(fromHex(leaf))));
  for (const [at, root] of roots.entries()) assert.equal(hex(await rootOf(hashes.slice(0, at + 1))), root);
});

test("a log of Tessera is read whole, at every size", async (t) => {
  const files = Object.fromEntries(
    Object.entries(json("tlog/tessera-log.json")).map(([path, data]) => [
      path,
      new Uint8Array(Buffer.from(data, "base64")),
    ]),
  );
  const get = async (path) => files[path] ?? assert.fail(path);
  const key = await readKey(new TextDecoder().decode(files["log.vkey"]).trim(), LOG_KEY, "key");
  const checkpoints = [];
  let proofs = 0;
  for (let size = 0; size <= 15; size += 1) {
    const note = parseNote(files[`checkpoint.${size}`], "note");
    assert.equal((await signers(note, [key], "note")).length, 1);
    checkpoints.push(parseCheckpoint(note.text, "note"));
    if (size === 0) continue;
    const tree = await new Tree(get, checkpoints[size]).open();
    for (const [index, entry] of (await tree.bundle(0)).entries()) {
      assert.ok(await provesInclusion(await hashLeaf(entry), index, size, await tree.inclusion(index), tree.root));
      proofs += 1;
    }
    for (const old of checkpoints) {
      assert.ok(await provesConsistency(old.size, old.root, size, tree.root, await tree.consistency(old.size)));
      proofs += 1;
    }
  }
  t.diagnostic(`${proofs} proofs`);
});

const sha = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash("sha256")).digest();
const ONE = Uint8Array.of(1);

/** The root over hashes, by node's own SHA-256 and RFC 6962's words. */
function rootBy(hashes) {
  if (hashes.length === 1) return hashes[0];
  const middle = 2 ** Math.floor(Math.log2(hashes.length - 1));
  return sha(ONE, rootBy(hashes.slice(0, middle)), rootBy(hashes.slice(middle)));
}

/** A tree of `size` leaves as files, made as the specification says and without the code under test. */
function tilesOf(size) {
  const files = {};
  let hashes = Array.from({ length: size }, (_, at) => sha(Uint8Array.of(0), `entry ${at}`));
  const root = rootBy(hashes);
  for (let level = 0; hashes.length > 0; level += 1) {
    const above = [];
    for (let at = 0; at < hashes.length; at += 256) {
      const part = hashes.slice(at, at + 256);
      files[`tile/${level}/${String(at / 256).padStart(3, "0")}${part.length === 256 ? "" : `.p/${part.length}`}`] =
        Buffer.concat(part);
      if (part.length === 256) above.push(rootBy(part));
    }
    hashes = above;
  }
  return { root, get: async (path) => new Uint8Array(files[path] ?? assert.fail(path)) };
}

test("trees of two and three levels of tiles have their root, and prove every leaf asked for", async (t) => {
  let proofs = 0;
  for (const size of [255, 256, 257, 511, 512, 65535, 65536, 65537]) {
    const { root, get } = tilesOf(size);
    const tree = await new Tree(get, { size, root }).open();
    for (const index of [0, 1, 254, 255, 256, 511, size >> 1, size - 2, size - 1].filter((at) => at < size)) {
      const leaf = await hashLeaf(utf8(`entry ${index}`));
      assert.ok(await provesInclusion(leaf, index, size, await tree.inclusion(index), root), `${index} of ${size}`);
      const old = index + 1;
      assert.ok(
        await provesConsistency(old, await tree.range(0, old), size, root, await tree.consistency(old)),
        `${old} to ${size}`,
      );
      proofs += 2;
    }
  }
  t.diagnostic(`${proofs} proofs`);
});

test("numbers in paths are written in threes", () => {
  const written = [
    [0, "000"],
    [67, "067"],
    [999, "999"],
    [1000, "x001/000"],
    [1234067, "x001/x234/067"],
  ];
  for (const [number, path] of written) assert.equal(tileNumber(number), path);
});

test("Wycheproof's signatures are valid or not as it says", async (t) => {
  let count = 0;
  for (const group of json("tlog/wycheproof/ed25519_test.json").testGroups) {
    for (const one of group.tests) {
      const holds = await verifyEd25519(fromHex(group.publicKey.pk), fromHex(one.msg), fromHex(one.sig));
      assert.equal(holds, one.result === "valid", `${one.tcId} ${one.comment}`);
      count += 1;
    }
  }
  assert.equal(count, 151);
  t.diagnostic(`${count} signatures`);
});

test("of CCTV's edge cases those pass whose only oddity is a component of small order", async (t) => {
  const cases = json("tlog/cctv-ed25519/ed25519vectors.json");
  let [passed, browserOnly] = [0, 0];
  for (const one of cases) {
    const [key, signature] = [fromHex(one.key), fromHex(one.sig)];
    const flags = one.flags ?? [];
    const expected = flags.every((flag) => ["low_order_component_A", "low_order_component_R"].includes(flag));
    const holds = await verifyEd25519(key, utf8(one.msg), signature);
    assert.equal(holds, expected, `${one.number}: ${flags.join(", ")}`);
    passed += holds;
    if (!holds) browserOnly += await bare(key, utf8(one.msg), signature);
  }
  t.diagnostic(`${passed} of ${cases.length} pass; WebCrypto alone lets ${browserOnly} more pass`);
});

/** What WebCrypto says without our rules. */
async function bare(publicKey, message, signature) {
  try {
    const key = await crypto.subtle.importKey("raw", publicKey, { name: "Ed25519" }, false, ["verify"]);
    return await crypto.subtle.verify({ name: "Ed25519" }, key, signature, message);
  } catch {
    return false;
  }
}

test("no encoding of a point of small order is an honest point", () => {
  const small = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ];
  for (const point of small) {
    const bytes = fromHex(point);
    assert.ok(!isHonestPoint(bytes), point);
    bytes[31] |= 128;
    assert.ok(!isHonestPoint(bytes), `${point} with its sign`);
  }
  assert.ok(!isHonestPoint(fromHex("02".padEnd(64, "0"))), "no point has this y");
  assert.ok(
    isHonestPoint(fromHex("5866666666666666666666666666666666666666666666666666666666666666")),
    "the base point",
  );
});
