// A picture of the page on which browsers see the redacted cameras, in headless Chromium.
//
//   node bench/live/picture.mjs URL OUT.png
//
// Waits until every camera on the page shows a picture; prints each camera's words, and whether its pictures move.

import { writeFileSync } from "node:fs";
import { Chromium } from "../../web/verify/browser/chromium.mjs";

const [url, out] = process.argv.slice(2);
const browser = await Chromium.start();

/** What each camera shows now, as a sum over its pixels; 0 where there is nothing. */
const SUMS = `[...document.querySelectorAll("[data-camera]")].map((figure) => {
  const shown = figure.querySelector("canvas, video");
  if (!shown) return 0;
  const canvas = Object.assign(document.createElement("canvas"), { width: 64, height: 36 });
  const context = canvas.getContext("2d");
  context.drawImage(shown, 0, 0, 64, 36);
  return context.getImageData(0, 0, 64, 36).data.reduce((sum, byte) => (sum * 31 + byte) % 1000000007, 0);
})`;

try {
  await browser.send("Emulation.setDeviceMetricsOverride", { width: 1280, height: 900, deviceScaleFactor: 1, mobile: false });
  await browser.open(url);
  await browser.until(`${SUMS}.length > 0 && ${SUMS}.every((sum) => sum !== 0)`);
  const before = JSON.stringify(await browser.evaluate(SUMS));
  // One that is covered whole stands still.
  await browser.until(`${SUMS}.every((sum, n) => sum !== 0 && sum !== ${before}[n])`, 5).catch(() => {});
  const words = await browser.evaluate(
    `${SUMS}.map((sum, n) => { const figure = document.querySelectorAll("[data-camera]")[n]; return figure.dataset.camera + ": " + figure.querySelector(".state").textContent + (sum === ${before}[n] ? ", and it stands still" : ", and it moves"); })`,
  );
  writeFileSync(out, await browser.screenshot());
  for (const line of words) console.log(line);
  for (const problem of browser.problems) console.log(`the browser complains: ${problem}`);
} finally {
  await browser.stop();
}
