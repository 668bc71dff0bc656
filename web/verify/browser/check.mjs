// The assembled page in a real browser, on a log served over loopback and from a file: questions by form and by keyboard,
// proofs chosen and dropped, spoilt proofs and logs refused, a fork told, and no word on the console.
//
//   node web/verify/browser/check.mjs [FOLDER FOR SCREENSHOTS]
//
// Needs chromium; CHROMIUM names another program.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { assemble, pin } from "../assemble.mjs";
import { Chromium } from "./chromium.mjs";
import { Host } from "./host.mjs";
import { BROKEN, LIES, QUESTIONS, STATEMENTS, read, seconds, text } from "../test/vectors.js";

const shots = process.argv[2];
const HEADLINES = { off: "STATED OFF", on: "STATED ON", unknown: "UNKNOWN", misbehaved: "UNKNOWN: THE LOG MISBEHAVED" };
const REFUSED = "REFUSED: NOTHING IS PROVED";
const proofPath = (file) => fileURLToPath(new URL(`../../../vectors/logs/proofs/${file}`, import.meta.url));
const quoted = JSON.stringify;

const temporary = mkdtempSync(join(tmpdir(), "placet-page-"));
const pageOf = (policy) => pin(assemble(), text(`logs/${policy}`));
const pages = {};
for (const { policy, log } of STATEMENTS) pages[`${log}/${policy}.html`] = pageOf(policy);
const host = await Host.start(pages);
const browser = await Chromium.start();
const counts = {};

const count = (what, by = 1) => (counts[what] = (counts[what] ?? 0) + by);
const address = ({ log, policy }) => `${host.address}${log}/${policy}.html`;
const forget = () => browser.evaluate("localStorage.clear()");
const setNow = (moment) => browser.evaluate(`void (Date.now = () => ${seconds(moment) * 1000})`);

/** The symbol in front of a headline is for the eye only. */
const headline = async () => {
  await browser.until(`document.getElementById("busy").hidden && !document.getElementById("result").hidden`);
  return browser.evaluate(`document.getElementById("headline").lastChild.textContent`);
};
const resultText = () => browser.evaluate(`document.getElementById("result").innerText`);
const clear = () => browser.evaluate(`void (document.getElementById("result").hidden = true)`);

async function openPage(one) {
  await browser.open(address(one));
  await browser.until(`!document.querySelector("#ask button").disabled`);
  await setNow(one.now);
}

async function fill(camera, at) {
  await browser.evaluate(`{
    document.getElementById("camera").value = ${quoted(camera)};
    document.getElementById("zone").value = "utc";
    document.getElementById("at").value = ${quoted(at.slice(0, -1))};
  }`);
}

async function ask(one) {
  await clear();
  await setNow(one.now);
  await fill(one.camera, one.at);
  await browser.evaluate(`document.querySelector("#ask button").click()`);
  return headline();
}

async function choose(file) {
  await clear();
  await browser.chooseFile("#file", file);
  return headline();
}

function expected({ answer, reveal_by: by }) {
  return answer === "will-be-shown"
    ? `WILL BE SHOWN ON ${by.replace("T", " ").replace("Z", " UTC")}`
    : HEADLINES[answer];
}

const quiet = (where) => assert.deepEqual(browser.problems.splice(0), [], where);

async function shoot(name) {
  if (shots === undefined) return;
  mkdirSync(shots, { recursive: true });
  writeFileSync(join(shots, `${name}.png`), await browser.screenshot());
}

/** The cases grouped by the page that they are read with. */
function* byPage(cases) {
  for (const page of new Set(cases.map(address))) yield cases.filter((one) => address(one) === page);
}

async function questionsByForm() {
  for (const cases of byPage(QUESTIONS)) {
    await openPage(cases[0]);
    for (const one of cases) {
      assert.equal(await ask(one), expected(one.expect), one.file);
      const shown = await resultText();
      if (one.expect.in_time !== undefined) {
        const words = one.expect.in_time
          ? "Stated in time"
          : one.expect.witnessed === null
            ? "Unwitnessed"
            : "Not shown to be stated in time";
        assert.ok(shown.includes(words), `${one.file}: ${shown}`);
      }
      if (one.expect.authority) assert.ok(shown.includes(one.expect.authority), one.file);
      count("questions by form");
      if (
        ["accept-off.json", "accept-on.json", "accept-sealed-will-be-shown.json", "accept-gap.json"].includes(one.file)
      )
        await shoot(one.file.slice(7, -5));
    }
  }
  quiet("questions by form");
  assert.ok(host.ranges > 0, "slots are read by range");
}

async function proofsByFile() {
  for (const cases of byPage([...STATEMENTS, ...BROKEN])) {
    await openPage(cases[0]);
    for (const one of cases) {
      await setNow(one.now);
      const wanted = LIES.includes(one.file)
        ? HEADLINES.misbehaved
        : one.expect === "reject"
          ? REFUSED
          : expected(one.expect);
      assert.equal(await choose(proofPath(one.file)), wanted, one.file);
      count(one.expect === "reject" ? "broken proofs refused" : "proofs by file");
    }
    await forget();
  }
  await shoot("refused");
  quiet("proofs by file");
}

async function dropped() {
  const [one] = STATEMENTS;
  await openPage(one);
  const drop = (content) =>
    browser.evaluate(`{
    const data = new DataTransfer();
    data.items.add(new File([${quoted(content)}], "proof.json"));
    document.body.dispatchEvent(new DragEvent("drop", { bubbles: true, cancelable: true, dataTransfer: data }));
  }`);
  const good = text(`logs/proofs/${one.file}`);
  await drop(good);
  assert.equal(await headline(), "STATED OFF");
  for (const bad of [
    good.replace("hall-north", "hall-south"),
    good.replace("hall-north", "gate.2_b"),
    `${good} `,
    "",
    "{}",
  ]) {
    await clear();
    await drop(bad);
    assert.equal(await headline(), REFUSED, bad.slice(0, 80));
    count("tampered proofs dropped and refused");
  }
  quiet("dropped");
}

async function byKeyboard() {
  const [one] = QUESTIONS;
  await openPage(one);
  await fill("", one.at);
  await browser.evaluate(`document.activeElement.blur()`);
  for (let tabs = 0; tabs < 5 && (await browser.evaluate("document.activeElement.id")) !== "camera"; tabs += 1)
    await browser.press("Tab", 9);
  assert.equal(await browser.evaluate("document.activeElement.id"), "camera");
  await browser.send("Input.insertText", { text: one.camera });
  await browser.press("Enter", 13);
  assert.equal(await headline(), "STATED OFF");
  assert.equal(await browser.evaluate("document.activeElement.id"), "headline", "the answer has the focus");
  count("questions by keyboard");
  const { nodes } = await browser.send("Accessibility.getFullAXTree");
  const fields = nodes.filter(({ role }) =>
    ["textbox", "combobox", "button", "DateTime", "InputTime"].includes(role?.value),
  );
  assert.ok(fields.length >= 6, `${fields.length} fields`);
  for (const { role, name } of fields) assert.ok(name?.value, `a ${role.value} without a name`);
  count("fields with a name", fields.length);
  quiet("by keyboard");
}

async function byAddress() {
  const one = QUESTIONS.find(({ expect }) => expect.answer === "on");
  const query = new URLSearchParams({ log: `${host.address}open`, camera: one.camera, at: one.at });
  await browser.open(`${address(one)}?${query}`);
  assert.equal(await headline(), "STATED ON");
  host.knowsRanges = false;
  await browser.open(`${address(one)}?${query}`);
  assert.equal(await headline(), "STATED ON", "a server that knows no ranges");
  host.knowsRanges = true;
  count("questions by address", 2);
  quiet("by address");
}

async function downloads() {
  const one = QUESTIONS.find(({ expect }) => expect.answer === "on");
  await openPage(one);
  await browser.send("Page.setDownloadBehavior", { behavior: "allow", downloadPath: temporary });
  await ask(one);
  await browser.evaluate(
    `[...document.querySelectorAll("#result button")].find((button) => button.textContent.startsWith("Save")).click()`,
  );
  let saved;
  for (let tries = 0; saved === undefined && tries < 500; tries += 1) {
    await new Promise((done) => setTimeout(done, 20));
    saved = readdirSync(temporary).find((name) => name.endsWith(".statement.json"));
  }
  assert.deepEqual(new Uint8Array(readFileSync(join(temporary, saved))), read(`logs/proofs/${one.file}`));
  count("proofs saved, byte for byte the vector");
  quiet("downloads");
}

async function spoiltLogs() {
  const [one] = QUESTIONS;
  for (const spoilt of [
    "checkpoint",
    "tile/0/000",
    "tile/0/001.p/44",
    "tile/1/000.p/1",
    "tile/entries/000",
    "tile/entries/001.p/44",
    "slots/000.p/146",
  ]) {
    await openPage(one);
    await forget();
    host.spoil = (path, bytes) => {
      if (path !== `open/${spoilt}`) return bytes;
      const bad = Buffer.from(bytes);
      // In the tick's own slots; elsewhere anywhere will do.
      const at = spoilt.startsWith("slots") ? 5 * 8 * 128 + 7 : Math.floor(bad.length / 2);
      bad[at] ^= 1;
      return bad;
    };
    assert.equal(await ask(one), REFUSED, spoilt);
    host.spoil = (path, bytes) => (path === `open/${spoilt}` ? null : bytes);
    assert.match(await ask(one), /^(UNKNOWN: NO ANSWER|REFUSED: NOTHING IS PROVED)$/, `${spoilt} withheld`);
    count("spoilt or withheld files refused", 2);
  }
  host.spoil = (path, bytes) => bytes;
  browser.problems.splice(0); // the browser itself reports each 404
}

async function remembered() {
  const [one] = QUESTIONS;
  await openPage(one);
  const older = JSON.parse(text("logs/proofs/reject-older-checkpoint.json")).checkpoint;
  const keep = (note) => {
    const [origin, size, root] = note.split("\n");
    return browser.evaluate(
      `localStorage.setItem(${quoted(`placet-verify ${origin}`)}, ${quoted(JSON.stringify({ size: Number(size), root, note }))})`,
    );
  };
  await keep(older);
  assert.equal(await ask(one), "STATED OFF");
  assert.ok((await resultText()).includes("The log has grown since"));
  assert.equal(await ask(one), "STATED OFF");
  assert.ok((await resultText()).includes("is the one that this browser saw last time"));
  await keep(text("logs/open.fork"));
  assert.equal(await ask(one), "THE LOG HAS FORKED");
  assert.ok(!(await resultText()).includes("STATED"));
  await shoot("fork");
  assert.equal(await ask(one), "THE LOG HAS FORKED", "a fork is not forgotten");
  // What the log never signed is no evidence, whoever put it there.
  await keep(text("logs/open.fork").replace("\n250\n", "\n251\n"));
  assert.equal(await ask(one), "STATED OFF");
  await forget();
  count("histories compared", 5);
  quiet("remembered");
}

async function fromDisk() {
  const [one] = STATEMENTS;
  const saved = join(temporary, "saved page.html");
  writeFileSync(saved, pages[`${one.log}/${one.policy}.html`]);
  await browser.open(pathToFileURL(saved).href);
  await browser.until(`!document.querySelector("#ask button").disabled`);
  assert.equal(await choose(proofPath(one.file)), "STATED OFF");
  const broken = BROKEN.find(({ part }) => part === "slot");
  assert.equal(await choose(proofPath(broken.file)), REFUSED);
  assert.equal(await ask(one), "UNKNOWN: NO ANSWER", "a file asks no log without an address");
  count("checks from a file", 3);
  quiet("from disk");
}

/** The smallest contrast of text against what it stands on. */
const CONTRAST = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const luminance = (color) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = (node) => {
    for (let at = node; at; at = at.parentElement) {
      const color = getComputedStyle(at).backgroundColor;
      if (color !== "rgba(0, 0, 0, 0)") return color;
    }
    return "white";
  };
  const ratios = [...document.querySelectorAll("h1, h2, h3, p, li, dt, dd, label, summary, button:enabled, a, input, select, pre")]
    .filter((node) => node.checkVisibility())
    .map((node) => [luminance(getComputedStyle(node).color), luminance(ground(node))])
    .map(([a, b]) => (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05));
  return Math.min(...ratios);
})()`;

async function looks() {
  for (const scheme of ["light", "dark"]) {
    await browser.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
    // 1280 pixels at 400 %, and at 200 %.
    for (const width of [320, 640, 1280]) {
      await browser.send("Emulation.setDeviceMetricsOverride", {
        width,
        height: 900,
        deviceScaleFactor: 1,
        mobile: false,
      });
      for (const file of ["accept-on.json", "accept-off.json", "accept-sealed-will-be-shown.json", "accept-gap.json"]) {
        const one = STATEMENTS.find((it) => it.file === file);
        await openPage(one);
        await choose(proofPath(file));
        const [wide, fits] = await browser.evaluate(
          `[document.scrollingElement.scrollWidth, document.scrollingElement.clientWidth]`,
        );
        assert.ok(wide <= fits, `${file} at ${width}: ${wide} > ${fits}`);
        const contrast = await browser.evaluate(CONTRAST);
        assert.ok(contrast >= 4.5, `${file}, ${scheme}: contrast ${contrast}`);
        count("layouts that fit, with contrast");
        if (width !== 640) await shoot(`${scheme}-${width}-${file.slice(7, -5)}`);
      }
    }
  }
  quiet("looks");
}

try {
  for (const part of [
    questionsByForm,
    proofsByFile,
    dropped,
    byKeyboard,
    byAddress,
    downloads,
    spoiltLogs,
    remembered,
    fromDisk,
    looks,
  ])
    await part();
  console.log(
    Object.entries(counts)
      .map(([what, number]) => `${number} ${what}`)
      .join("\n"),
  );
  console.log(`${Object.values(counts).reduce((sum, number) => sum + number)} passed, 0 failed`);
} finally {
  await browser.stop();
  host.stop();
  rmSync(temporary, { recursive: true, force: true });
}
