// Asks a page in headless Chromium, as a visitor would: of published logs beside which it is served over loopback, and of
// proof files that it is given.
//
//   node web/verify/browser/ask.mjs PAGE FOLDER < QUESTIONS
//
// PAGE is a finished page, with its policy in it; FOLDER is what is served. A question is a line of fields with a tab
// between them, and so is its answer: the headline, and what the page says below it.
//
//   log    NAME   CAMERA  AT      the log FOLDER/NAME, read by the page as FOLDER/NAME/verify.html
//   proof  FILE                   a file of a statement proof, chosen by the visitor
//
// The browser keeps what it remembers of a log from one question to the next.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Chromium } from "./chromium.mjs";
import { Host } from "./host.mjs";

const [pageFile, folder] = process.argv.slice(2);
const page = readFileSync(pageFile, "utf8");
const questions = readFileSync(0, "utf8")
  .split("\n")
  .filter((line) => line !== "")
  .map((line) => line.split("\t"));

const pages = { "verify.html": page };
for (const [kind, name] of questions) if (kind === "log") pages[`${name}/verify.html`] = page;
const host = await Host.start(pages, pathToFileURL(`${resolve(folder)}/`));
const browser = await Chromium.start();

/** What the page shows once it has answered, on one line. */
async function answer() {
  await browser.until(`document.getElementById("busy").hidden && !document.getElementById("result").hidden`);
  const words = await browser.evaluate(`[
    document.getElementById("headline").lastChild.textContent,
    [...document.querySelectorAll("#result > p")].map((node) => node.innerText).join(" "),
  ]`);
  return words.map((text) => text.replace(/\s+/g, " ")).join("\t");
}

async function ask([kind, name, camera, at]) {
  if (kind === "log") {
    await browser.open(`${host.address}${name}/verify.html?${new URLSearchParams({ camera, at })}`);
  } else {
    await browser.open(`${host.address}verify.html`);
    await browser.until(`!document.querySelector("#ask button").disabled`);
    await browser.chooseFile("#file", resolve(name));
  }
  return answer();
}

try {
  for (const question of questions) console.log(await ask(question));
} finally {
  await browser.stop();
  host.stop();
}
