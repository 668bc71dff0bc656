// Drives a headless Chromium by the DevTools protocol over a pipe: what a test of a page needs, and no packages.

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = [
  "--headless=new",
  "--remote-debugging-pipe",
  "--no-first-run",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-extensions",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-default-browser-check",
  "--disable-dev-shm-usage",
];

/** A browser with one page. */
export class Chromium {
  static async start(program = process.env.CHROMIUM ?? "chromium") {
    const browser = new Chromium();
    browser.profile = mkdtempSync(join(tmpdir(), "placet-chromium-"));
    const stdio = ["ignore", "ignore", "ignore", "pipe", "pipe"];
    browser.child = spawn(program, [...FLAGS, `--user-data-dir=${browser.profile}`, "about:blank"], { stdio });
    browser.gone = new Promise((_, fail) => {
      browser.child.on("error", (cause) => fail(new Error(`cannot run \`${program}\`; install chromium`, { cause })));
      browser.child.on("exit", (code) => fail(new Error(`\`${program}\` ended with ${code}`)));
    });
    browser.gone.catch(() => {});
    browser.waiting = new Map();
    browser.next = 1;
    /** What went wrong on the page's console since it was last taken. */
    browser.problems = [];
    browser.listen();
    await browser.attach();
    return browser;
  }

  listen() {
    let rest = "";
    this.child.stdio[4].setEncoding("utf8");
    this.child.stdio[4].on("data", (chunk) => {
      const messages = (rest + chunk).split("\0");
      rest = messages.pop();
      for (const message of messages) this.receive(JSON.parse(message));
    });
  }

  receive({ id, result, error, method, params }) {
    if (id !== undefined) {
      const { done, fail } = this.waiting.get(id);
      this.waiting.delete(id);
      return error ? fail(new Error(error.message)) : done(result);
    }
    if (method === "Runtime.exceptionThrown")
      this.problems.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text);
    if (method === "Runtime.consoleAPICalled" && ["error", "warning", "assert"].includes(params.type))
      this.problems.push(JSON.stringify(params.args));
    if (method === "Log.entryAdded" && ["error", "warning"].includes(params.entry.level))
      this.problems.push(`${params.entry.text} ${params.entry.url ?? ""}`);
    if (method === "Page.loadEventFired") this.loaded?.();
    return undefined;
  }

  send(method, params = {}) {
    const id = this.next;
    this.next += 1;
    const answer = new Promise((done, fail) => this.waiting.set(id, { done, fail }));
    this.child.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId: this.session })}\0`);
    return Promise.race([answer, this.gone]);
  }

  async attach() {
    const { targetInfos } = await this.send("Target.getTargets");
    const { targetId } = targetInfos.find((target) => target.type === "page");
    this.session = (await this.send("Target.attachToTarget", { targetId, flatten: true })).sessionId;
    for (const domain of ["Page", "Runtime", "Log", "DOM", "Accessibility"]) await this.send(`${domain}.enable`);
  }

  async open(url) {
    const loaded = new Promise((done) => (this.loaded = done));
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(`${url}: ${errorText}`);
    await loaded;
  }

  /** The value of an expression in the page; a promise is awaited. */
  async evaluate(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails) throw new Error(`${exceptionDetails.text}: ${exceptionDetails.exception?.description}`);
    return result.value;
  }

  /** Waits until an expression is true; gives its value. */
  async until(expression, seconds = 30) {
    const wait = `new Promise((done, fail) => {
      const end = performance.now() + ${seconds * 1000};
      const look = () => { const value = ${expression}; value ? done(value) : performance.now() > end ? fail(new Error("waited in vain")) : setTimeout(look, 10); };
      look();
    })`;
    return this.evaluate(wait).catch((cause) => {
      throw new Error(`never became true: ${expression}`, { cause });
    });
  }

  async chooseFile(selector, path) {
    const { root } = await this.send("DOM.getDocument");
    const { nodeId } = await this.send("DOM.querySelector", { nodeId: root.nodeId, selector });
    await this.send("DOM.setFileInputFiles", { nodeId, files: [path] });
  }

  async press(key, code) {
    const event = { key, code: key, windowsVirtualKeyCode: code, text: key === "Enter" ? "\r" : undefined };
    await this.send("Input.dispatchKeyEvent", { type: "keyDown", ...event });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...event });
  }

  async screenshot() {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    return Buffer.from(data, "base64");
  }

  async stop() {
    const ended = new Promise((done) => this.child.once("exit", done));
    // Asked to close, it ends its own processes first; killed, they would go on writing to the profile.
    this.child.stdio[3].write(`${JSON.stringify({ id: this.next, method: "Browser.close" })}\0`);
    this.waiting.set(this.next, { done: () => {}, fail: () => {} });
    await ended;
    for (let left = 50; ; left -= 1) {
      try {
        return rmSync(this.profile, { recursive: true, force: true });
      } catch (error) {
        if (left === 0) throw error;
        await new Promise((done) => setTimeout(done, 100));
      }
    }
  }
}
