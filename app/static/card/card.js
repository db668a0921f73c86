/* The live card: draws the code of each window from signatures the server made ahead of time, keeps them on the device
   for when there is no signal, and says until when they last. After the last one it shows no code at all. */

import { ServerClock } from "./clock.js";
import { drawCode } from "./qr.js";
import { drawLarge, onLarge, stayAwake } from "./screen.js";
import { claim, forget, keep, keepPage, read } from "./store.js";

const WINDOW_MS = 30_000, SIGNATURE_BYTES = 64;
const AHEAD = 20;                    // windows that come when no hours are asked for
const REFILL_BELOW = 12, REFILL_MS = 300_000, RETRY_MS = 15_000, TIMEOUT_MS = 8_000;
const OF_THE_CARD = 2;               // the header's first two bytes are kind and key, the rest is this very card

const $ = (id) => document.getElementById(id);
const place = $("card-code"), site = document.querySelector("[data-worker]").dataset;
const holder = document.documentElement.dataset.holder;
const LANGUAGE = document.documentElement.lang.replace(/^en$/, "en-GB");   // "24 Nov", as the server writes days
const clock = new ServerClock();

let batch = null;                    // {holder, card, prefix, header, firstWindow, signatures}
let why = "signal";                  // there is no code: "signal", "over" (ran out) or "gone" (signed out, no card)
let askedAt = -Infinity, asking = null, wasHidden = false, pageKept = false;
let serversOwnUntil = place.dataset.kept ? 0 : WINDOW_MS;   // until then, in performance.now(), the server's drawing is good
let drawn = null, isKeeping = false;

const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
const end = (batch) => batch.firstWindow + batch.signatures.length / SIGNATURE_BYTES;
const left = () => batch ? end(batch) - Math.floor(clock.now() / WINDOW_MS) : 0;

function digits(window) {
  const start = (window - batch.firstWindow) * SIGNATURE_BYTES;
  const number = [0x01, ...batch.header, ...[24, 16, 8, 0].map((shift) => (window >>> shift) & 255), ...batch.signatures.subarray(start, start + SIGNATURE_BYTES)];
  return BigInt("0x" + number.map((byte) => byte.toString(16).padStart(2, "0")).join("")).toString();
}

/* Ask the server for codes, of ten minutes or of some hours: "ok", "gone", "too-often" or "no-signal" */
async function ask(hours) {
  askedAt = performance.now();
  try {
    const address = hours ? `${place.dataset.liveUrl}?hours=${hours}` : place.dataset.liveUrl;
    const response = await fetch(address, { headers: { Accept: "application/json" }, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS * (hours ? 4 : 1)) });
    if (response.ok) return await take(await response.json(), hours);
    if (response.status === 429) return "too-often";
    if (response.status >= 500) return "no-signal";
    await drop();
    return "gone";
  } catch {
    return "no-signal";              // what we have still serves
  }
}

async function take(answer, hours) {
  if (answer.holder !== holder) {    // somebody else signed in here since this page came
    await drop();
    location.reload();
    return "gone";
  }
  clock.hear(Date.parse(answer.server_time), askedAt, performance.now());
  if (answer.card !== place.dataset.card) {   // re-issued since this page came
    place.dataset.card = answer.card;
    pageKept = false;
  }
  const fresh = { holder, card: answer.card, prefix: answer.prefix, header: bytes(answer.header), firstWindow: answer.first_window, signatures: bytes(answer.signatures) };
  if (!(hours === undefined && outlasts(batch, fresh))) {
    batch = fresh;
    await remember("batch", batch);
  }
  await remember("clock", clock.mark());
  if (!pageKept) pageKept = await keepPage(site.page).then(() => true, () => false);
  return "ok";
}

/* Whether what we have is of the same card and lasts longer. A short answer says that the membership ends: it counts. */
function outlasts(old, fresh) {
  if (!old || end(fresh) - fresh.firstWindow < AHEAD) return false;
  const same = [...fresh.header].every((byte, i) => i < OF_THE_CARD || byte === old.header[i]);
  return same && old.prefix === fresh.prefix && old.firstWindow <= fresh.firstWindow && end(old) > end(fresh);
}

async function remember(key, value) {
  try {
    claim(holder);
    await keep(key, value);
    isKeeping = true;
  } catch {
    isKeeping = false;               // a private window, a full device: the page serves while it is open
  }
}

/* Signed out, or no card any more: nothing of it stays */
async function drop() {
  batch = null;
  why = "gone";
  serversOwnUntil = 0;
  await forget().catch(() => {});
}

function refill(hours) {
  asking ??= ask(hours).finally(() => { asking = null; show(); });
  return asking;
}

/* Code, clock, bar and until when, as of now */
function show() {
  if (batch === null && performance.now() < serversOwnUntil) { stayAwake(true); return; }
  const window = Math.floor(clock.now() / WINDOW_MS);
  const fresh = batch !== null && window >= batch.firstWindow && left() > 0;
  if (batch !== null && !fresh) why = "over";
  place.hidden = !fresh;
  $("beat").closest(".pass-beat").hidden = !fresh;
  $("card-stale").hidden = fresh;
  for (const words of $("card-stale").querySelectorAll("[data-why]")) words.hidden = words.dataset.why !== why;
  $("kept").hidden = $("show-large").hidden = !fresh;
  doubt(fresh ? clock.doubt : "");
  stayAwake(fresh);
  if (batch !== null) $("ran-out").textContent = $("kept-until").textContent = moment(end(batch) * WINDOW_MS);
  if (!fresh) { drawn = null; drawLarge(null, ""); return; }
  if (drawn !== window) {
    place.replaceChildren(drawCode(batch.prefix, digits(window), place.dataset.label));
    if (drawn !== null && isKeeping) remember("clock", clock.mark());
    drawn = window;
  }
  const seconds = Math.ceil((WINDOW_MS - clock.now() % WINDOW_MS) / 1000);
  $("clock").textContent = new Date(clock.now()).toLocaleTimeString(LANGUAGE, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  $("beat").setAttribute("width", `${seconds / (WINDOW_MS / 1000) * 100}%`);
  $("beat-word").textContent = $("beat-word").textContent.replace(/\d+/, seconds);
  drawLarge(place.firstElementChild, $("clock").textContent);
}

/* "18:40", with the day where it is not today's */
function moment(instant) {
  const then = new Date(instant), today = new Date(clock.now()).toDateString() === then.toDateString();
  return then.toLocaleString(LANGUAGE, { ...(today ? {} : { day: "numeric", month: "short" }), hour: "2-digit", minute: "2-digit", hour12: false });
}

function doubt(said) {
  $("card-doubt").hidden = !said;
  for (const words of $("card-doubt").querySelectorAll("[data-why]")) words.hidden = words.dataset.why !== said;
}

function tick() {
  if (clock.look(wasHidden)) askedAt = -Infinity;
  wasHidden = document.visibilityState !== "visible";
  show();
  const since = performance.now() - askedAt;
  if (since > REFILL_MS || left() < REFILL_BELOW && since > RETRY_MS) refill();
}

async function keepDay() {
  const said = $("keep-said"), button = $("keep-day");
  said.hidden = false;
  said.textContent = said.dataset.busy;
  button.disabled = true;
  await asking;
  const how = await refill(24);
  button.disabled = false;
  if (how === "gone") said.hidden = true;
  else if (how !== "ok") said.textContent = how === "too-often" ? said.dataset.tooOften : said.dataset.noSignal;
  else said.textContent = isKeeping ? said.dataset.done : said.dataset.noRoom;
}

/* What this device kept serves before the server answers, and without it */
async function recall() {
  const [kept, mark] = await Promise.all([read("batch"), read("clock")]).catch(() => []);
  if (!kept || !mark) return;
  if (kept.holder !== holder || kept.card !== place.dataset.card) { await forget(); return; }
  batch = kept;
  isKeeping = true;
  clock.resume(mark);
}

navigator.serviceWorker?.register(site.worker, { scope: site.scope }).catch(() => {});
$("card-reload").addEventListener("click", () => location.reload());
$("keep-day")?.addEventListener("click", keepDay);
onLarge(show);
addEventListener("online", () => refill());
addEventListener("pageshow", (event) => { if (event.persisted) refill(); });
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") wasHidden = true;
  else { tick(); refill(); }
});
await recall();
tick();
setInterval(tick, 1000);
