/* The page of a tablet whose pairing has ended: what it still keeps is sent, and nothing is scanned. */

import { Queue } from "./queue.js";
import { Server } from "./server.js";

const config = JSON.parse(document.getElementById("scanner-config").textContent);
const said = document.getElementById("queue");
const server = new Server(config);
server.csrf = config.csrf;
const queue = new Queue(config.desk, (of, scans) => server.upload(of, scans));

await queue.load();
const waited = queue.waiting.length;
await queue.flush();
said.textContent = queue.waiting.length ? said.dataset.failed : waited ? said.dataset.sent : said.dataset.none;
