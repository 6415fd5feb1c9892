// Runs the testee of page.ts in headless Chromium: serves the page, and passes requests to it and responses back.
//
//     node browser.js ORIGIN CHROMIUM
//
// ORIGIN is the page's origin, such as http://127.0.0.1:40080; CHROMIUM is the browser's program.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { base64Decode, base64Encode } from "@bufbuild/protobuf/wire";
import { TesteeRequestSchema, TesteeResponseSchema } from "./testee_pb.js";
import { chromium } from "playwright-core";
import type * as page from "./page.js";
import { serve } from "./stdio.js";

declare const testee: typeof page;

const [origin, executablePath] = process.argv.slice(2);
const script = await readFile(new URL("page.js", import.meta.url), "utf-8");
const html = `<!doctype html><meta charset="utf-8"><title>testee</title><script>${script}</script>`;
const { hostname, port } = new URL(origin);
const server = createServer((_, response) => response.setHeader("content-type", "text/html").end(html)).listen(
  Number(port),
  hostname,
);
await once(server, "listening");

// Without these it connects to Google's hosts.
const quiet = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
];
const browser = await chromium.launch({ executablePath, args: [...quiet, "--disable-gpu"] });
try {
  const tab = await browser.newPage();
  await tab.goto(origin);
  await serve(async (request) => {
    const data = base64Encode(toBinary(TesteeRequestSchema, request));
    return fromBinary(TesteeResponseSchema, base64Decode(await tab.evaluate((data) => testee.answer(data), data)));
  });
} finally {
  await browser.close();
  server.close();
}
