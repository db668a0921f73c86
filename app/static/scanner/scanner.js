/* The scanner of a desk: finds a code, shows the verdict on it, and goes on at a tap. With signal the server judges,
   without it the device does by itself. */

import { Camera } from "./camera.js";
import { Decoder } from "./decoder.js";
import { Desk } from "./desk.js";
import { onTypedCode } from "./keyboard.js";
import { showNotices } from "./notices.js";
import { Queue } from "./queue.js";
import { Scans } from "./scans.js";
import { Server } from "./server.js";
import { chooseReason, fillToday } from "./sheets.js";
import { signal } from "./signals.js";
import { addToLog, addToNewest, hideVerdict, showBusy, showVerdict } from "./verdict.js";
import { HEADER_BYTES, parseCode } from "./verifier.js";
import { words } from "./words.js";

const SHORTEST_GAP_MS = 30;      // between two looks at the camera: no more than each of its 30 pictures a second
const GONE_AFTER_MS = 1500;      // a card not seen for so long may be shown again
const SAID_MS = 4000;
const SYNC_MS = 300_000, RETRY_MS = 5_000;

const $ = (id) => document.getElementById(id);
const config = JSON.parse($("scanner-config").textContent);
const camera = new Camera($("video"));
const decoder = new Decoder(config.wasm_url);
const server = new Server(config);
const desk = new Desk(config.desk, server);
const queue = new Queue(config.desk, (of, scans) => server.upload(of, scans));
const scans = new Scans(desk, server, queue);

/* looking: for a code · asking: for the verdict · showing: it. Only looking reads the camera. */
let state = "looking";
let running = 0;                 // the number of the loop that may read the camera
let last = { text: null, card: null, seenAt: 0 };
let hinted = "starting", heldUntil = 0;
let isOnline = navigator.onLine;

function hint(name) {
  if (performance.now() < heldUntil && ["aim", "same"].includes(name)) return;
  if (name !== hinted) $("hint").textContent = $("hint").dataset[name];
  hinted = name;
}

/* something to read before the next hint */
function say(text) {
  hinted = "said";
  heldUntil = performance.now() + SAID_MS;
  $("hint").textContent = text;
}

/* ---------- signal, queue, list ---------- */

const show = () => showNotices(desk, queue, isOnline);

server.onContact = (answered) => {
  const isBack = answered && !isOnline;
  isOnline = answered;
  if (isBack) sync(); else show();
};
queue.onChange = show;

async function sync() {
  await desk.sync();
  await queue.flush();
  show();
}

addEventListener("online", sync);
addEventListener("offline", () => { isOnline = false; show(); });
setInterval(sync, SYNC_MS);
setInterval(() => { if (queue.waiting.length && navigator.onLine) queue.flush(); show(); }, RETRY_MS);
addEventListener("beforeunload", (event) => { if (queue.unkept.size) event.preventDefault(); });

/* ---------- a scan ---------- */

/* what the live codes of one card have in common, whatever their window */
const cardOf = (text) => (desk.facts && parseCode(text, desk.facts.card_base_url)?.body.slice(0, HEADER_BYTES).join()) || null;

async function scan(text) {
  if (state === "asking") return;
  $("typing").close();
  if (state === "showing") {
    if (text === last.text) return;
    hideVerdict();
  }
  last = { text, card: null, seenAt: performance.now() };
  await ask(text, crypto.randomUUID());
}

async function ask(text, nonce) {
  state = "asking";
  hint("asking");
  const verdict = await scans.judge(text, nonce);
  if (["ok", "check", "other"].includes(verdict.panel)) last.card = cardOf(text);
  present(verdict, nonce, () => { hideVerdict(); return ask(text, nonce); });
  addToLog({ ...verdict, line: verdict.panel === "no" ? verdict.line : verdict.facts?.[0]?.value ?? verdict.line, at: Date.now(), time: scans.timeOf(desk.clock.now()) });
  show();
}

function present(verdict, nonce, again) {
  state = "showing";
  showVerdict(verdict, (pressed) => act(pressed, nonce, again));
  signal(verdict.panel);
}

/* one use by whom the verdict was about, and on to the next card */
async function count(nonce) {
  state = "asking";
  showBusy();
  const { said, ...verdict } = await scans.count(nonce);
  if (!said) return present(verdict, nonce, () => count(nonce));
  hideVerdict();
  signal("ok");
  addToNewest(words.counted_mark);
  lookAgain();
  say(said);
}

async function act(pressed, nonce, again) {
  if (state === "asking") return;
  if (pressed === "sign-in") return location.assign($("sign-in").href);
  if (pressed === "count") return count(nonce);
  const reason = pressed === "undo" ? await chooseReason() : pressed;
  if (reason === null) return;
  if (pressed === "again") return again();
  hideVerdict();
  lookAgain();
  if (reason !== "next") say(await scans.undo(nonce, reason));
}

function lookAgain() {
  state = "looking";
  last.seenAt = performance.now();
  hint("aim");
  if (camera.isOn) watch(); else startCamera();
}

async function watch() {
  const mine = ++running;
  while (mine === running && state === "looking" && camera.isOn) {
    const began = performance.now();
    const text = await decoder.readFrame($("video"));
    if (mine !== running || state !== "looking") return;
    if (text && isNew(text)) return scan(text);
    if (["same", "said"].includes(hinted) && performance.now() - last.seenAt > GONE_AFTER_MS) hint("aim");
    await new Promise((done) => setTimeout(done, SHORTEST_GAP_MS - (performance.now() - began)));
    await camera.nextFrame();
  }
}

/* A card still held in front of the camera after its verdict is not scanned a second time: not the same code,
   and where it was valid not the code of its next window either. */
function isNew(text) {
  const now = performance.now();
  const same = text === last.text || (last.card !== null && last.card === cardOf(text));
  if (!same || now - last.seenAt > GONE_AFTER_MS) return true;
  last.seenAt = now;
  hint("same");
  return false;
}

/* ---------- camera, picture, typed code ---------- */

async function startCamera() {
  running += 1;
  hint("starting");
  try {
    await camera.start(startCamera);
  } catch (error) {
    if (error.name === "AbortError") return;
    hint({ NotAllowedError: "blocked", NotReadableError: "busy" }[error.name] ?? "noCamera");
    return;
  } finally {
    $("torch").hidden = !camera.hasTorch;
    $("torch").setAttribute("aria-pressed", "false");
    $("camera").hidden = camera.isOn && camera.count < 2;
  }
  if (!await decoder.isReady) return hint("noReader");
  if (state !== "looking") return;
  hint("aim");
  watch();
}

$("camera").addEventListener("click", async () => {
  if (camera.isOn) await camera.chooseNext();
  startCamera();
});

$("torch").addEventListener("click", async () => {
  await camera.switchTorch();
  $("torch").setAttribute("aria-pressed", String(camera.torch));
});

$("picture").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", async () => {
  const [file] = $("file").files;
  $("file").value = "";
  if (!file) return;
  if (!await decoder.isReady) return hint("noReader");
  const text = await decoder.readFile(file);
  if (text) scan(text); else hint("noCode");
});

$("type").addEventListener("click", () => $("typing").showModal());
$("typing").addEventListener("close", () => $("typing-form").reset());
$("typing-form").addEventListener("submit", () => {
  const text = $("code").value.trim();
  if (text) scan(text);
});
onTypedCode(scan);

/* ---------- today's log ---------- */

async function fillLog() {
  const { entries, total } = await scans.today();
  fillToday(desk, queue, entries, total, async (nonce) => {
    const reason = await chooseReason();
    if (reason === null) return;
    $("today-said").textContent = await scans.undo(nonce, reason);
    fillLog();
  });
}

$("open-today").addEventListener("click", async () => {
  $("today-said").textContent = "";
  $("today-sheet").showModal();
  await fillLog();
});

/* a page nobody sees has no business with the camera */
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") { running += 1; camera.stop(); return; }
  startCamera();
  sync();
});

/* The page opens without signal from then on; this first one was there before its worker and asks to be kept. */
async function install() {
  if (!navigator.serviceWorker) return;
  const registration = await navigator.serviceWorker.register(config.worker_url, { scope: "/scan" });
  registration.addEventListener("updatefound", () => takeOver(registration.installing ?? registration.waiting));
  takeOver(registration.waiting);
  const { active } = await navigator.serviceWorker.ready;
  active.postMessage({ keep: location.href });
  registration.update().catch(() => {});   // at once, where a browser would take its time; without signal not at all
  navigator.storage?.persist?.();
}

/* A new worker asks to take over while it is installed; a browser may let it wait all the same, until asked again. */
function takeOver(worker) {
  if (worker?.state === "installed") worker.postMessage({ takeOver: true });
  else worker?.addEventListener("statechange", () => takeOver(worker), { once: true });
}

startCamera();
await Promise.all([desk.loaded, queue.load()]);
show();
sync();
install().catch((error) => console.warn(error));
