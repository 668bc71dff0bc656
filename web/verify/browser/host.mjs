// Serves a published log on loopback as any web server would, and spoils it on request.

import { readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const LOGS = new URL("../../../vectors/logs/", import.meta.url);

export class Host {
  /** `pages` are served by their paths, such as LOG/verify.html beside a log; all else is a file below `root`. */
  static async start(pages, root = LOGS) {
    const host = new Host();
    Object.assign(host, { pages, root, ranges: 0, knowsRanges: true, spoil: (path, bytes) => bytes });
    host.server = createServer((request, response) => host.answer(request, response));
    await new Promise((done) => host.server.listen(0, "127.0.0.1", done));
    host.address = `http://127.0.0.1:${host.server.address().port}/`;
    return host;
  }

  answer(request, response) {
    const path = new URL(request.url, this.address).pathname.slice(1);
    const page = this.pages[path];
    if (page !== undefined) return response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
    const file = fileURLToPath(new URL(path, this.root));
    let bytes;
    try {
      bytes = statSync(file).isFile() ? this.spoil(path, readFileSync(file)) : null;
    } catch {
      bytes = null;
    }
    const headers = {
      "Content-Type": "application/octet-stream",
      "Access-Control-Allow-Origin": "*",
      "Cache-Control": "no-store",
    };
    if (bytes === null) return response.writeHead(404, headers).end();
    const range = this.knowsRanges ? /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") : null;
    if (range === null) return response.writeHead(200, headers).end(bytes);
    this.ranges += 1;
    const part = bytes.subarray(Number(range[1]), Number(range[2]) + 1);
    headers["Content-Range"] = `bytes ${range[1]}-${range[2]}/${bytes.length}`;
    return response.writeHead(206, headers).end(part);
  }

  stop() {
    this.server.closeAllConnections?.();
    this.server.close();
  }
}
