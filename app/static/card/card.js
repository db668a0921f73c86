/* The live card: draws the code of each window from signatures the server made ahead of time.
   The time is the server's at the last answer plus a clock that only runs forward, so a wrong phone clock does
   no harm. Without signal it goes on to the last signature it has; then it shows no code at all. */

import { drawCode } from "./qr.js";

const WINDOW_MS = 30_000, SIGNATURE_BYTES = 64;
const REFILL_BELOW = 12;             // windows left, of the 20 that come at a time
const RETRY_MS = 15_000, TIMEOUT_MS = 8_000;
const SLEPT_MS = 3_000;              // the forward clock stands still in some phones' sleep

const $ = (id) => document.getElementById(id);
const place = $("card-code");
const label = place.querySelector("svg").getAttribute("aria-label");

let batch = null;                    // {prefix, header, firstWindow, signatures}
let base = 0;                        // server time in ms when performance.now() was 0
let drift = 0;                       // Date.now() - performance.now() when last looked at
let askedAt = -Infinity, asking = false;
let serversOwnUntil = WINDOW_MS;     // until then, in performance.now(), the code drawn by the server is good
let drawn = null;

const now = () => base + performance.now();
const bytes = (base64) => Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
const left = (window) => batch ? batch.firstWindow + batch.signatures.length / SIGNATURE_BYTES - window : 0;

function code(window) {
  const start = (window - batch.firstWindow) * SIGNATURE_BYTES;
  const number = [0x01, ...batch.header, ...[24, 16, 8, 0].map((shift) => (window >>> shift) & 255), ...batch.signatures.subarray(start, start + SIGNATURE_BYTES)];
  return BigInt("0x" + number.map((byte) => byte.toString(16).padStart(2, "0")).join("")).toString();
}

async function refill() {
  if (asking) return;
  asking = true;
  askedAt = performance.now();
  try {
    const response = await fetch(place.dataset.liveUrl, { headers: { Accept: "application/json" }, cache: "no-store", redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
    if (response.ok) take(await response.json());
    else if (response.status < 500 && response.status !== 429) { batch = null; serversOwnUntil = 0; }   // signed out, or no card any more
  } catch {
    // no signal: what we have still serves
  }
  asking = false;
  show();
}

function take(answer) {
  const arrived = performance.now();
  base = Date.parse(answer.server_time) - (askedAt + arrived) / 2;
  drift = Date.now() - arrived;
  batch = { prefix: answer.prefix, header: bytes(answer.header), firstWindow: answer.first_window, signatures: bytes(answer.signatures) };
}

/* Code, clock and bar as of now */
function show() {
  if (batch === null && performance.now() < serversOwnUntil) return;
  const window = Math.floor(now() / WINDOW_MS);
  const fresh = batch !== null && window >= batch.firstWindow && left(window) > 0;
  place.hidden = !fresh;
  $("beat").closest(".pass-beat").hidden = !fresh;
  $("card-stale").hidden = fresh;
  if (!fresh) { drawn = null; return; }
  if (drawn !== window) {
    place.replaceChildren(drawCode(batch.prefix, code(window), label));
    drawn = window;
  }
  const seconds = Math.ceil((WINDOW_MS - now() % WINDOW_MS) / 1000);
  $("clock").textContent = new Date(now()).toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false });
  $("beat").setAttribute("width", `${seconds / (WINDOW_MS / 1000) * 100}%`);
  $("beat-word").textContent = $("beat-word").textContent.replace(/\d+/, seconds);
}

function tick() {
  const slept = Date.now() - performance.now() - drift;
  if (batch && slept > SLEPT_MS) {
    base += slept;
    drift += slept;
    askedAt = -Infinity;
  }
  show();
  const window = Math.floor(now() / WINDOW_MS);
  if (left(window) < REFILL_BELOW && performance.now() - askedAt > RETRY_MS) refill();
}

$("card-reload")?.addEventListener("click", () => location.reload());
addEventListener("pageshow", (event) => { if (event.persisted) refill(); });
document.addEventListener("visibilitychange", () => { if (document.visibilityState === "visible") refill(); });
tick();
setInterval(tick, 1000);
