// The page: takes the question or the file, shows the answer. All text goes in as text, never as markup.

import { Misbehaved, Refused, hex, refuse, textOf, utf8 } from "./bytes.js";
import { isCamera, momentOf, parseRoster, secondsOf } from "./entry.js";
import { compare, forkEvidence, recall, remember } from "./memory.js";
import { acceptCheckpoint, openCheckpoint, parsePolicy } from "./policy.js";
import { Reader, makeStatement } from "./prove.js";
import { MAX_PROOF_FILE, verifyStatement } from "./statement.js";
import { NOT_CHECKED, answerWords, historyWords, witnessWords } from "./words.js";

const MAX_FILE = 64 * 1024 * 1024;
const element = (id) => document.getElementById(id);
const nowSeconds = () => Math.floor(Date.now() / 1000);

function make(tag, content, attributes = {}) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...[content].flat());
  return node;
}

// --- a log over the network ---------------------------------------------------------------------------------------------

/** What gives the bytes of a file below the log's address. */
function fetcher(prefix) {
  return async (path, range) => {
    const headers = range === undefined ? {} : { Range: `bytes=${range[0]}-${range[1] - 1}` };
    let response;
    try {
      response = await fetch(new URL(path, prefix), {
        headers,
        credentials: "omit",
        cache: path === "checkpoint" ? "no-store" : "default",
      });
    } catch (cause) {
      throw new Error(
        `Nothing came from ${prefix}${path}. Is the address right, and does that server allow other pages to read it?`,
        { cause },
      );
    }
    if (!response.ok) throw new Error(`${prefix}${path} is not there: the server answered ${response.status}.`);
    const length = Number(response.headers.get("Content-Length") ?? 0);
    const body = new Uint8Array(length > MAX_FILE ? 0 : await response.arrayBuffer());
    if (length > MAX_FILE || body.length > MAX_FILE) throw new Error(`${prefix}${path} is too large.`);
    // A server that knows no ranges sends the whole file.
    return range !== undefined && response.status !== 206 ? body.subarray(range[0], range[1]) : body;
  };
}

/** The address with one slash at its end, which is how paths below it are found. */
function logPrefix(address) {
  const url = new URL(address, document.baseURI);
  if (!/^https?:$/.test(url.protocol))
    throw new Error("A log is read over http or https. From a file, check a proof file instead.");
  url.search = url.hash = "";
  if (!url.pathname.endsWith("/")) url.pathname += "/";
  return url.href;
}

// --- what this browser has seen -----------------------------------------------------------------------------------------

function storage() {
  try {
    return window.localStorage;
  } catch {
    return null;
  }
}

/** Compares with the checkpoint seen before, and remembers the newer one. A fork is never forgotten. */
async function compareWithMemory(policy, checkpoint, tree) {
  const store = storage();
  let before = store === null ? null : recall(store, checkpoint.origin);
  try {
    // Others may write to this store: only what the log signed counts.
    if (before !== null) before = await openCheckpoint(policy, before.note, "memory");
  } catch {
    before = null;
  }
  const history = await compare(before, checkpoint, tree);
  if (store !== null && ["first", "grown"].includes(history)) remember(store, checkpoint);
  const evidence = history === "fork" ? await forkEvidence(before, checkpoint, tree) : null;
  return { history, before, evidence };
}

// --- the two ways to ask ------------------------------------------------------------------------------------------------

async function askLog(policy, { address, camera, at }) {
  const prefix = logPrefix(address);
  const get = fetcher(prefix);
  const note = textOf(await get("checkpoint"), "checkpoint");
  const checkpoint = await acceptCheckpoint(policy, note, "checkpoint");
  const log = await Reader.open(get, checkpoint);
  const memory = await compareWithMemory(policy, checkpoint, log.tree);
  await offerCameras(log);
  const file = await makeStatement(log, note, camera, at);
  const found = await verifyStatement(file, policy, nowSeconds());
  return { found, file, memory, limits: log.limits, source: `Read from ${prefix}` };
}

async function checkFile(policy, file, name) {
  if (file.length > MAX_PROOF_FILE) refuse("file", "it is larger than any proof");
  const found = await verifyStatement(file, policy, nowSeconds());
  const memory = await compareWithMemory(policy, found.checkpoint, null);
  return { found, file, memory, limits: [], source: `Read from the file ${name}; nothing was fetched.` };
}

/** Fills the list of names for the camera field from the newest roster. */
async function offerCameras(log) {
  const last = await log.lastTick();
  if (last === undefined) return;
  const side = textOf(await log.get(`roster/${hex(last.roster)}`), "roster");
  const roster = parseRoster(side, "roster");
  element("cameras").replaceChildren(...[...roster.keys()].map((name) => make("option", [], { value: name })));
}

// --- showing --------------------------------------------------------------------------------------------------------------

const SYMBOLS = { off: "○", on: "●", later: "◔", unknown: "?", alarm: "!" };

function show({ kind, headline, sentences }, more = []) {
  const heading = make("h2", [make("span", SYMBOLS[kind], { class: "symbol", "aria-hidden": "true" }), headline], {
    id: "headline",
    tabindex: "-1",
  });
  const result = element("result");
  result.className = `card answer ${kind}`;
  result.replaceChildren(heading, ...sentences.map((sentence) => make("p", sentence)), ...more);
  result.hidden = false;
  heading.focus();
}

function download(label, name, content) {
  const button = make("button", label, { type: "button" });
  button.addEventListener("click", () => {
    const link = make("a", "", { download: name, href: URL.createObjectURL(new Blob([content])) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  });
  return button;
}

const listOf = (title, items) =>
  items.length === 0
    ? []
    : [
        make("h3", title),
        make(
          "ul",
          items.map((item) => make("li", item)),
        ),
      ];

function showFork({ evidence }) {
  const sentences = [
    "The log has shown this browser two histories that contradict each other, and signed both. Nothing that it states can be relied on.",
    "Keep the evidence: it proves the fork to anyone. Tell the operator, the witnesses and the supervisory authority.",
  ];
  show({ kind: "alarm", headline: "THE LOG HAS FORKED", sentences }, [
    download("Save the evidence", "fork-evidence.txt", evidence),
  ]);
}

function showFound(policy, { found, file, memory, limits, source }) {
  if (memory.history === "fork") return showFork(memory);
  const words = answerWords(found);
  const witnessed = witnessWords(found, policy);
  const history = historyWords(memory.history);
  const older =
    memory.history === "older"
      ? [
          make(
            "p",
            `Warning: this browser has seen a newer state of this log (${memory.before.size} entries, now ${found.size}). What is shown here is old, or the log was rolled back.`,
            { class: "warning" },
          ),
        ]
      : [];
  const name = `${found.camera}-${momentOf(found.at).replaceAll(":", "")}.statement.json`;
  show(words, [
    ...older,
    ...(witnessed === null ? [] : [make("p", witnessed, { id: "witnessed" })]),
    make("p", download("Save this proof as a file", name, file)),
    ...listOf("What was checked", [source, ...found.checks, ...history.checked]),
    ...listOf("What was not checked", [...limits, ...history.unchecked, ...NOT_CHECKED]),
  ]);
}

const PART_WORDS = { file: "the file", policy: "the policy of this page", tiles: "the log’s files" };

function showError(error) {
  if (error instanceof Refused) {
    const what = PART_WORDS[error.part] ?? `“${error.part}”`;
    if (error instanceof Misbehaved) {
      const sentences = [
        `What the log itself signed breaks its own rules. At fault is ${what}: ${error.message}.`,
        "No failure of equipment explains this. Keep what shows it.",
      ];
      return show({ kind: "alarm", headline: "UNKNOWN: THE LOG MISBEHAVED", sentences });
    }
    const sentences = [
      "This does not prove anything, neither “off” nor “on”.",
      `At fault is ${what}: ${error.message}.`,
    ];
    return show({ kind: "alarm", headline: "REFUSED: NOTHING IS PROVED", sentences });
  }
  return show({ kind: "unknown", headline: "UNKNOWN: NO ANSWER", sentences: [error.message] });
}

// --- the form -------------------------------------------------------------------------------------------------------------

/** The second that the form names, by the reader's clock or by UTC. */
function instant() {
  const value = element("at").value;
  const full = /T\d\d:\d\d$/.test(value) ? `${value}:00` : value;
  const asUtc = element("zone").value === "utc";
  const seconds = Date.parse(asUtc ? `${full}Z` : full) / 1000;
  if (!Number.isInteger(seconds) || secondsOf(momentOf(seconds)) === null)
    throw new Error("Give a date and a time between the years 2000 and 2199.");
  return seconds;
}

function question() {
  const camera = element("camera").value.trim();
  if (!isCamera(camera))
    throw new Error(
      "Give the camera’s name as the sign or the operator gives it: small letters, digits, dot, dash, underscore.",
    );
  return { address: element("log").value.trim(), camera, at: instant() };
}

async function answering(work) {
  element("busy").hidden = false;
  try {
    await work();
  } catch (error) {
    showError(error);
  } finally {
    element("busy").hidden = true;
  }
}

/** Puts the question into the page's address, so that it can be passed on. */
function keepQuestion({ address, camera, at }) {
  if (location.protocol === "file:") return;
  const query = new URLSearchParams({ log: address, camera, at: momentOf(at) });
  history.replaceState(null, "", `?${query}`);
}

function fillFromAddress() {
  const query = new URLSearchParams(location.search);
  const pinned = document.querySelector("meta[name=log]").content;
  const home = location.protocol === "file:" ? "" : new URL(".", location.href).href;
  element("log").value = query.get("log") ?? (pinned || home);
  element("camera").value = query.get("camera") ?? "";
  const at = secondsOf(query.get("at") ?? "");
  if (at !== null) {
    element("zone").value = "utc";
    element("at").value = momentOf(at).slice(0, -1);
  }
  return query.has("camera") && at !== null;
}

/** A witness, or a group with how many of its members are asked for, as a list within a list. */
function quorumItem(node) {
  if (node.members === undefined) return make("li", `${node.name}, with the key ${node.key.text}`);
  const count = node.threshold === node.members.length ? "all" : String(node.threshold);
  return make("li", [make("strong", node.name), `: ${count} of`, make("ul", node.members.map(quorumItem))]);
}

function showPolicy(policy) {
  const logs = policy.logs.map(({ key }) => make("li", [make("strong", key.name), `, with the key ${key.text}`]));
  const witnesses =
    policy.quorum === null
      ? [make("p", "No witness is asked for, so every answer is unwitnessed.")]
      : [make("p", "Witnesses that must have seen it:"), make("ul", quorumItem(policy.quorum))];
  element("pinned").replaceChildren(
    make("p", "What a log states counts if it is this one:"),
    make("ul", logs),
    ...witnesses,
  );
}

function takeFiles(policy) {
  const take = (files) => {
    if (files.length === 0) return;
    answering(async () =>
      showFound(policy, await checkFile(policy, new Uint8Array(await files[0].arrayBuffer()), files[0].name)),
    );
  };
  element("file").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  const over = (on) => (event) => {
    event.preventDefault();
    element("drop").classList.toggle("over", on);
  };
  document.addEventListener("dragover", over(true));
  document.addEventListener("dragleave", over(false));
  document.addEventListener("drop", (event) => {
    over(false)(event);
    take([...event.dataTransfer.files]);
  });
}

/** Says what this browser cannot do, if it cannot. */
async function demandCryptography() {
  if (globalThis.crypto?.subtle === undefined) {
    throw new Error(
      "This browser checks signatures on secure pages only. Open the page over https, or save it and open the file.",
    );
  }
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(32).fill(1), { name: "Ed25519" }, false, ["verify"]);
  } catch (cause) {
    if (cause.name === "NotSupportedError")
      throw new Error("This browser does not know Ed25519 signatures. A newer one does.", { cause });
  }
}

async function start() {
  await demandCryptography();
  const policy = await parsePolicy(utf8(element("policy").textContent));
  if (policy.logs.length === 0) refuse("policy", "it names no log");
  showPolicy(policy);
  const asked = fillFromAddress();
  const ask = () =>
    answering(async () => {
      const wanted = question();
      keepQuestion(wanted);
      showFound(policy, await askLog(policy, wanted));
    });
  element("ask").addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  takeFiles(policy);
  element("ask").querySelector("button").disabled = false;
  if (asked) await ask();
}

start().catch(showError);
