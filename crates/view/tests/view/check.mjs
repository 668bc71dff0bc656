// The pages of a site with a live camera `hall-north`, a covered `hall-south` and `gate`, which is away; lines that begin
// with `> ` ask the test to change something, and a line from it says that this is done.

import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { Chromium } from "../../../../web/verify/browser/chromium.mjs";

const site = process.argv[2];
const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const browser = await Chromium.start();
let passed = 0;

async function change(what) {
  console.log(`> ${what}`);
  assert.equal((await answers.next()).value, "done");
}

/** A sum over the picture that an element shows, and how much of it is not black. */
const LOOK = `((element) => {
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(element, 0, 0, 64, 36);
  const { data } = context.getImageData(0, 0, 64, 36);
  let [sum, lit] = [0, 0];
  for (let n = 0; n < data.length; n += 4) {
    sum = (sum * 31 + data[n] + data[n + 1] * 7 + data[n + 2] * 13) % 1000000007;
    lit += data[n + 1] > 30 ? 1 : 0;
  }
  return [sum, lit / (64 * 36)];
})`;
const FIGURE = (name) => `document.querySelector('[data-camera="${name}"]')`;
const STATE = (name) => `${FIGURE(name)}.querySelector(".state").textContent`;

/** Different pictures that an element shows, one after the other. */
async function moves(name, tag, count) {
  const seen = new Set();
  await browser.until(`${FIGURE(name)}.querySelector("${tag}")`);
  while (seen.size < count) {
    const before = JSON.stringify([...seen]);
    const sum = await browser.until(
      `(() => { const e = ${FIGURE(name)}.querySelector("${tag}"); if (!e) return 0; const [sum, lit] = ${LOOK}(e); return lit > 0.9 && !${before}.includes(sum) ? sum : 0; })()`,
    );
    seen.add(sum);
  }
  passed += count;
}

try {
  for (const [way, tag] of [["webcodecs", "canvas"], ["mse", "video"], ["jpeg", "img"]]) {
    await browser.open(`${site}/camera/hall-north?way=${way}`);
    await moves("hall-north", tag, way === "jpeg" ? 3 : 10);
    assert.equal(await browser.evaluate(STATE("hall-north")), "REDACTED LIVE");
    console.log(`${way}: pictures move`);
  }
  const behind = `${site}/camera/hall-north?way=mse`;
  await browser.open(behind);
  await moves("hall-north", "video", 3);
  const late = await browser.until(
    `(() => { const v = document.querySelector("video"); const b = v?.buffered; if (!b?.length || v.currentTime === 0) return 0; const late = b.end(b.length - 1) - v.currentTime; return late < 0.7 ? late + 1e-9 : 0; })()`,
  );
  console.log(`mse: ${Math.round(late * 1000)} ms behind the newest picture`);

  await browser.open(`${site}/`);
  await moves("hall-north", "canvas", 3);
  await moves("hall-south", "canvas", 2);
  assert.equal(await browser.evaluate(STATE("hall-south")), "COVERED (the detector is late)");
  assert.equal(await browser.evaluate(STATE("gate")), "AWAY (no answer)");
  await change("cover");
  await browser.until(`${STATE("gate")} === "COVERED (frames are late)"`);
  passed += 3;

  // The camera ends and comes back, smaller; nobody reloads.
  await change("end");
  await browser.until(`${STATE("hall-north")}.startsWith("LOST")`);
  await change("return");
  await browser.until(`${STATE("hall-north")} === "REDACTED LIVE"`);
  await browser.until(`${FIGURE("hall-north")}.querySelector("canvas")?.width === 320`);
  await moves("hall-north", "canvas", 3);
  console.log("a camera that ended came back by itself");
  // `gate` has no picture, which the browser reports.
  const problems = browser.problems.splice(0).filter((problem) => !/503|gate\/picture|WebSocket/.test(problem));
  assert.deepEqual(problems, []);

  await browser.send("Emulation.setScriptExecutionDisabled", { value: true });
  await browser.open(`${site}/`);
  const { root } = await browser.send("DOM.getDocument", { depth: -1 });
  const { nodeIds } = await browser.send("DOM.querySelectorAll", { nodeId: root.nodeId, selector: "a[href^='/camera/']" });
  assert.equal(nodeIds.length, 3);
  await browser.send("Emulation.setScriptExecutionDisabled", { value: false });
  passed += 1;
  console.log(`${passed} passed, 0 failed`);
} finally {
  await browser.stop();
  process.stdin.destroy();
}
