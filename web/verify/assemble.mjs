// Makes verify.html, the page as one file, out of src/. What is left to put in are the marks {{POLICY}} (a tlog-policy,
// with & < > escaped) and {{LOG}} (the log's address, with & < > " escaped, or nothing): both stand outside script and
// style, so the hashes in the Content-Security-Policy hold for every policy.
//
//   node web/verify/assemble.mjs           writes verify.html
//   node web/verify/assemble.mjs --check   says whether it is up to date

import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";

const MODULES = [
  "bytes", "ed25519", "note", "policy", "merkle", "json", "entry", "slot", "statement", "tiles", "prove", "memory", "words", "page",
];
const file = (name) => new URL(name, import.meta.url);
const read = (name) => readFileSync(file(name), "utf8");
const sha256 = (text) => createHash("sha256").update(text).digest("base64");

/** One script of all modules: what they import is beside them, so imports and exports go. Names are unique in all. */
export function script() {
  const body = (name) => read(`src/${name}.js`).replace(/^import [^;]*;\n/gm, "").replace(/^export /gm, "");
  return `\n${MODULES.map(body).join("\n")}`;
}

export function assemble() {
  const [js, css] = [script(), `\n${read("src/page.css")}`];
  const marks = { "SCRIPT-HASH": sha256(js), "STYLE-HASH": sha256(css), STYLE: css, SCRIPT: js };
  const page = read("src/page.html").replace(/\/\*(SCRIPT-HASH|STYLE-HASH|STYLE|SCRIPT)\*\//g, (_, mark) => marks[mark]);
  if (/<\/script|<!--/i.test(js) || /<\/style/i.test(css)) throw new Error("script or style would end early");
  return page;
}

const escape = (text) => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

/** The page for one policy and one address. */
export const pin = (page, policy, log = "") => page.replace("{{POLICY}}", () => escape(policy)).replace("{{LOG}}", () => escape(log));

if (process.argv[1] === new URL(import.meta.url).pathname) {
  const page = assemble();
  if (process.argv.includes("--check")) {
    if (read("verify.html") !== page) {
      console.error("web/verify/verify.html is not what src/ makes: run node web/verify/assemble.mjs");
      process.exit(1);
    }
  } else {
    writeFileSync(file("verify.html"), page);
    console.log(`verify.html: ${Buffer.byteLength(page)} bytes`);
  }
}
