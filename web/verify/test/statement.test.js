// Statement proofs and whole logs made by a second implementation, vectors/logs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { BROKEN, LIES, QUESTIONS, STATEMENTS, difference, folder, numbers, read, seconds, text } from "./vectors.js";
import { Misbehaved, Refused, fromBase64, utf8 } from "../src/bytes.js";
import { compare, forkEvidence, recall, remember } from "../src/memory.js";
import { provesConsistency } from "../src/merkle.js";
import { acceptCheckpoint, openCheckpoint, parsePolicy } from "../src/policy.js";
import { Reader, makeStatement } from "../src/prove.js";
import { MAX_PROOF_FILE, verifyStatement } from "../src/statement.js";
import { Tree } from "../src/tiles.js";
import { answerWords, witnessWords } from "../src/words.js";

const policyOf = (one) => parsePolicy(read(`logs/${one.policy}`));
const proofOf = (one) => read(`logs/proofs/${one.file}`);
const verify = async (one, file) => verifyStatement(file, await policyOf(one), seconds(one.now));

/** Asks a folder as the page does: the proof that it makes, and what follows from it. */
async function ask(one, get) {
  const policy = await policyOf(one);
  const note = new TextDecoder("utf-8", { fatal: true }).decode(await get("checkpoint"));
  const log = await Reader.open(get, await acceptCheckpoint(policy, note, "checkpoint"));
  const file = await makeStatement(log, note, one.camera, seconds(one.at));
  return { file, found: await verifyStatement(file, policy, seconds(one.now)) };
}

test("every statement proof comes to the answer that its maker expects", async (t) => {
  for (const one of STATEMENTS) {
    assert.equal(difference(await verify(one, proofOf(one)), one.expect), null, one.file);
  }
  assert.ok(STATEMENTS.length >= 34);
  t.diagnostic(`${STATEMENTS.length} proofs`);
});

test("every broken proof is refused, and for its own fault", async (t) => {
  for (const one of BROKEN) {
    const fault = await verify(one, proofOf(one)).then(
      (found) => found.answer,
      (error) => error,
    );
    assert.ok(fault instanceof Refused, `${one.file}: ${fault.stack ?? fault}`);
    assert.equal(fault.part, one.part, `${one.file}: ${fault.message}`);
    assert.equal(fault instanceof Misbehaved, LIES.includes(one.file), one.file);
  }
  assert.ok(BROKEN.length >= 118);
  t.diagnostic(`${BROKEN.length} broken proofs`);
});

test("a published folder answers alike, and makes the same proof byte for byte", async (t) => {
  for (const one of QUESTIONS) {
    const { file, found } = await ask(one, folder(one.log));
    assert.equal(difference(found, one.expect), null, one.file);
    assert.deepEqual(file, proofOf(one), one.file);
  }
  t.diagnostic(`${QUESTIONS.length} questions`);
});

test("a proof with one byte changed is refused, asks something else, or shows less", async (t) => {
  let [refused, other] = [0, 0];
  const random = numbers(1);
  for (const one of STATEMENTS) {
    const good = proofOf(one);
    const whole = await verify(one, good);
    for (let round = 0; round < 40; round += 1) {
      const bad = good.slice();
      const at = random.next().value % bad.length;
      bad[at] ^= 1 << random.next().value % 8;
      const found = await verify(one, bad).catch((error) => error);
      if (found instanceof Refused) {
        refused += 1;
        continue;
      }
      // Another second of the same interval, or a line that is no longer a known witness's, where others are enough.
      assert.ok(!(found instanceof Error), `${one.file} byte ${at}: ${found.stack}`);
      assert.equal(found.answer, one.expect.answer, `${one.file} byte ${at}`);
      const asksElse = found.camera !== one.camera || found.at !== seconds(one.at);
      assert.ok(
        asksElse || !found.in_time || found.checkpoint.by.length < whole.checkpoint.by.length,
        `${one.file} byte ${at}`,
      );
      other += 1;
    }
  }
  t.diagnostic(`${refused} refused, ${other} another question or a witness fewer`);
});

test("a proof cut short anywhere is refused", async (t) => {
  const [one] = STATEMENTS;
  const good = proofOf(one);
  for (let length = 0; length < good.length; length += 97) {
    await assert.rejects(verify(one, good.subarray(0, length)), Refused);
  }
  await assert.rejects(verify(one, new Uint8Array(MAX_PROOF_FILE + 1).fill(32)), { part: "file" });
  await assert.rejects(verify(one, utf8(`{"at":${"[".repeat(5000)}${"]".repeat(5000)}}`)), Refused);
  t.diagnostic(`${Math.ceil(good.length / 97) + 2} cut or swollen`);
});

const FILES = {
  open: [
    "checkpoint",
    "tile/0/000",
    "tile/0/001.p/44",
    "tile/1/000.p/1",
    "tile/entries/000",
    "tile/entries/001.p/44",
    "slots/000.p/146",
    "cosigned/000.p/145",
  ],
  sealed: ["checkpoint", "tile/0/000.p/121", "tile/entries/000.p/121", "slots/000.p/90", "cosigned/000.p/89"],
};

test("a folder with one bit flipped never answers otherwise", async (t) => {
  let [refused, same] = [0, 0];
  const random = numbers(2);
  for (const log of ["open", "sealed"]) {
    const asked = QUESTIONS.filter((one) => one.log === log);
    for (const path of FILES[log]) {
      for (let round = 0; round < 12; round += 1) {
        const one = asked[random.next().value % asked.length];
        const bad = read(`logs/${log}/${path}`);
        bad[random.next().value % bad.length] ^= 1 << random.next().value % 8;
        const found = await ask(one, folder(log, { [path]: bad })).then(
          ({ found: it }) => it,
          (error) => error,
        );
        if (found instanceof Error) refused += 1;
        else {
          // A host can only withhold: what was seen in time may then be missing.
          assert.equal(found.answer, one.expect.answer, `${path} for ${one.file}`);
          same += 1;
        }
      }
    }
  }
  assert.ok(refused > 60 && same > 20);
  t.diagnostic(`${refused} refused, ${same} not touched by it`);
});

test("a folder without one of its files never says off", async (t) => {
  let asked = 0;
  for (const log of ["open", "sealed"]) {
    const one = QUESTIONS.find((question) => question.log === log && question.expect.answer === "off");
    for (const path of FILES[log]) {
      const needed = path.startsWith("cosigned") || ask(one, folder(log, { [path]: null }));
      if (needed !== true) await assert.rejects(needed, Error, path);
      asked += 1;
    }
  }
  t.diagnostic(`${asked} files`);
});

test("another log's folder, or an older one, is not taken for this one", async () => {
  const [one] = QUESTIONS;
  await assert.rejects(ask(one, folder("sealed")), { part: "checkpoint" });
  await assert.rejects(ask(one, folder("open", { checkpoint: read("logs/sealed/checkpoint") })), {
    part: "checkpoint",
  });
});

test("every earlier size of the log is shown to be its beginning, and no other tree is", async (t) => {
  const policy = await parsePolicy(read("logs/open.policy"));
  const now = await acceptCheckpoint(policy, text("logs/open/checkpoint"), "checkpoint");
  const tree = await new Tree(folder("open"), now).open();
  let [grown, forks] = [0, 0];
  for (let size = 1; size < now.size; size += 1) {
    const root = await tree.range(0, size);
    assert.equal(await compare({ origin: now.origin, size, root }, now, tree), "grown", String(size));
    const other = root.slice();
    other[size % 32] ^= 1;
    assert.equal(await compare({ origin: now.origin, size, root: other }, now, tree), "fork", String(size));
    [grown, forks] = [grown + 1, forks + 1];
  }
  assert.equal(await compare(now, now, null), "same");
  assert.equal(await compare({ ...now, root: new Uint8Array(32) }, now, null), "fork");
  assert.equal(await compare({ ...now, size: now.size + 1 }, now, tree), "older");
  assert.equal(await compare({ ...now, size: 1 }, now, null), "unchecked");
  assert.equal(await compare(null, now, tree), "first");
  t.diagnostic(`${grown} consistent, ${forks} forks`);
});

test("the evidence of a fork proves it without the log", async () => {
  const policy = await parsePolicy(read("logs/open.policy"));
  const now = await acceptCheckpoint(policy, text("logs/open/checkpoint"), "checkpoint");
  const fork = await acceptCheckpoint(policy, text("logs/open.fork"), "checkpoint");
  const tree = await new Tree(folder("open"), now).open();
  assert.equal(await compare(fork, now, tree), "fork");
  const [, first, second, [root], path] = (await forkEvidence(fork, now, tree))
    .split(/^---.*\n/m)
    .map((part) => part.split("\n"));
  const [one, other] = await Promise.all(
    [first, second].map((lines) => acceptCheckpoint(policy, lines.slice(0, -1).join("\n"), "evidence")),
  );
  const hashes = path.filter((line) => line !== "").map(fromBase64);
  assert.ok(await provesConsistency(one.size, fromBase64(root), other.size, other.root, hashes));
  assert.notDeepEqual(fromBase64(root), one.root);
});

test("what is remembered is what was seen, and rubbish is nothing", async () => {
  const kept = new Map();
  const store = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  const policy = await parsePolicy(read("logs/open.policy"));
  const seen = await openCheckpoint(policy, text("logs/open/checkpoint"), "checkpoint");
  assert.equal(recall(store, seen.origin), null);
  assert.ok(remember(store, seen));
  const { origin, size, root, note } = recall(store, seen.origin);
  assert.deepEqual(
    { origin, size, root, note },
    { origin: seen.origin, size: seen.size, root: seen.root, note: seen.note },
  );
  for (const rubbish of ["", "null", "{}", '{"size":-1,"root":"","note":""}']) {
    store.setItem(`placet-verify ${origin}`, rubbish);
    assert.equal(recall(store, origin), null, rubbish);
  }
  const full = {
    setItem: () => {
      throw new Error("full");
    },
    getItem: () => {
      throw new Error("denied");
    },
  };
  assert.deepEqual([recall(full, origin), remember(full, seen)], [null, false]);
});

test("only what is proved to be off is called off", async () => {
  const headlines = new Map();
  for (const one of STATEMENTS) {
    const found = await verify(one, proofOf(one));
    const { headline, sentences } = answerWords(found);
    assert.equal(headline === "STATED OFF", one.expect.answer === "off", one.file);
    assert.equal(headline === "STATED ON", one.expect.answer === "on", one.file);
    assert.ok(
      sentences.every((sentence) => !/undefined|null|NaN|Invalid/.test(sentence)),
      sentences.join(" "),
    );
    headlines.set(one.expect.answer, headline);
    const witnessed = witnessWords(found, await policyOf(one));
    const start = one.expect.in_time ? "Stated in time" : one.expect.witnessed === null ? "Unwitnessed" : "Not shown";
    assert.ok(
      one.expect.in_time === undefined ? witnessed === null : witnessed.startsWith(start),
      `${one.file}: ${witnessed}`,
    );
  }
  assert.deepEqual([...headlines.keys()].sort(), ["misbehaved", "off", "on", "unknown", "will-be-shown"]);
});

test("a policy that is not one is refused with its line", async (t) => {
  const good = text("logs/open.policy");
  const [log, witness] = [/^log .*$/m, /^witness alfa-1 .*$/m].map((line) => line.exec(good)[0]);
  const bad = [
    good.slice(0, -1),
    good.replace("quorum both\n", ""),
    good.replace("quorum both", "quorum neither"),
    `${good}quorum both\n`,
    `${good}log\n`,
    `${good}${log}\n`,
    `${good}${witness.replace("alfa-1", "again")}\n`,
    good.replace("alfa-1", "none"),
    `\u0001${good}`,
    good.replace("any alfa-1", "3 alfa-1"),
    good.replace("any alfa-1", "0 alfa-1"),
    good.replace("all alfa beta", "all alfa alfa"),
    good.replace("all alfa beta", "all alfa alfa-1"),
    good.replace("group beta", "group alfa"),
    good.replace(/\+A/, "+B"),
    good.replace(/(log [^+]*\+)./, "$1x"),
    `${good}${log.replace("log ", "witness w ")}\n`,
  ];
  bad.push(
    `# \u0001\n${good}`,
    good.replace("group alfa any", "group none any").replace("all alfa beta", "all none beta"),
    good.replace("group beta any", "group alfa any").replace("all alfa beta", "all alfa"),
    `# ${"x".repeat(1024 * 1024)}\n${good}`,
  );
  await parsePolicy(utf8(good));
  for (const [at, one] of bad.entries()) {
    await assert.rejects(parsePolicy(utf8(one)), { part: "policy" }, `${at}: ${one}`);
  }
  t.diagnostic(`${bad.length} bad policies`);
});
