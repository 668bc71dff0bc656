// The page as one file.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assemble, pin } from "../assemble.mjs";
import { text } from "./vectors.js";

const PAGE = readFileSync(new URL("../verify.html", import.meta.url), "utf8");

test("verify.html is what its parts make", () => {
  assert.ok(PAGE === assemble(), "run node web/verify/assemble.mjs");
});

test("the content security policy names the script and the style by their hashes, whatever policy is pinned", () => {
  for (const page of [PAGE, pin(PAGE, text("logs/open.policy"), "https://log.example.org/")]) {
    for (const [what, body] of [["script-src", /<script type="module">([^]*?)<\/script>/], ["style-src", /<style>([^]*?)<\/style>/]]) {
      const hash = createHash("sha256").update(body.exec(page)[1]).digest("base64");
      assert.ok(page.includes(`${what} 'sha256-${hash}'`), what);
    }
    assert.ok(page.includes("default-src 'none'") && !page.includes("unsafe"));
  }
});

test("a pinned policy is text in the page and cannot become markup", () => {
  const page = pin(PAGE, "# </pre><script>alert(1)</script> & $& {{LOG}}\n", '"><script>');
  assert.ok(page.includes("# &lt;/pre&gt;&lt;script&gt;alert(1)&lt;/script&gt; &amp; $&amp; {{LOG}}\n"));
  assert.ok(page.includes('<meta name="log" content="&quot;&gt;&lt;script&gt;">'));
  assert.equal(page.match(/<script/g).length, 1);
});

test("the page loads nothing from elsewhere", () => {
  const shown = PAGE.replace(/<script[^]*?<\/script>/, "");
  assert.ok(!/(src|href)="(?!#|data:)/.test(shown));
  assert.ok(!/@import|\burl\(|innerHTML|\beval\(/.test(PAGE));
});
