/* The scanner of a desk: finds a code, asks for the verdict, shows it, and goes on at a tap. */

import { Camera } from "./camera.js";
import { Decoder } from "./decoder.js";
import { onTypedCode } from "./keyboard.js";
import { askServer } from "./server.js";
import { signal } from "./signals.js";
import { hideVerdict, logVerdict, showVerdict, verdictOf } from "./verdict.js";
import { HEADER_BYTES, parseCode } from "./verifier.js";

const SHORTEST_GAP_MS = 30;      // between two looks at the camera: no more than each of its 30 pictures a second
const GONE_AFTER_MS = 1500;      // a card not seen for so long may be shown again

const $ = (id) => document.getElementById(id);
const config = JSON.parse($("scanner-config").textContent);
const camera = new Camera($("video"));
const decoder = new Decoder(config.wasm_url);

/* looking: for a code · asking: the server · showing: a verdict. Only looking reads the camera. */
let state = "looking";
let running = 0;                 // the number of the loop that may read the camera
let last = { text: null, card: null, seenAt: 0 };

let hinted = "starting";

function hint(name) {
  if (name !== hinted) $("hint").textContent = $("hint").dataset[name];
  hinted = name;
}

/* what the live codes of one card have in common, whatever their window */
const cardOf = (text) => parseCode(text, config.card_base_url)?.body.slice(0, HEADER_BYTES).join() ?? null;

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
  const answer = await askServer(config, text, nonce);
  const verdict = verdictOf(answer);
  showSignal(answer.kind !== "no_answer");
  state = "showing";
  if (verdict.valid) last.card = cardOf(text);
  showVerdict(verdict, (pressed) => {
    if (pressed === "sign-in") return location.reload();
    hideVerdict();
    if (pressed === "again") ask(text, nonce); else lookAgain();
  });
  signal(verdict.panel);
  logVerdict(verdict);
}

function lookAgain() {
  state = "looking";
  last.seenAt = performance.now();
  hint("aim");
  if (camera.isOn) watch(); else startCamera();
}

function showSignal(there) {
  $("online").hidden = !there;
  $("offline").hidden = there;
}

async function watch() {
  const mine = ++running;
  while (mine === running && state === "looking" && camera.isOn) {
    const began = performance.now();
    const text = await decoder.readFrame($("video"));
    if (mine !== running || state !== "looking") return;
    if (text !== null && isNew(text)) return scan(text);
    if (hinted === "same" && performance.now() - last.seenAt > GONE_AFTER_MS) hint("aim");
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
  if (text === null) hint("noCode"); else scan(text);
});

$("type").addEventListener("click", () => $("typing").showModal());
$("typing-close").addEventListener("click", () => $("typing").close());
$("typing").addEventListener("close", () => $("typing-form").reset());
$("typing-form").addEventListener("submit", () => {
  const text = $("code").value.trim();
  if (text) scan(text);
});
onTypedCode(scan);

addEventListener("offline", () => showSignal(false));
addEventListener("online", () => showSignal(true));

/* a page nobody sees has no business with the camera */
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "hidden") { running += 1; camera.stop(); } else startCamera();
});

startCamera();
