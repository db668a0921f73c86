/* The verdict on the whole screen, and its line in the log. */

const PANELS = new Set(["ok", "check", "no", "other", "unsure"]);
const KEPT_IN_LOG = 3;

const place = document.getElementById("verdict"), idle = document.getElementById("idle"), log = document.getElementById("log");
const words = document.getElementById("words").dataset;
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/* The verdict that stands for an answer of server.js. `action`, beside "next": "again" or "sign-in" */
export function verdictOf(answer) {
  if (answer.kind === "verdict" && PANELS.has(answer.verdict.panel)) return answer.verdict;
  const unsure = { panel: "unsure", word: words.cannotTell, facts: [] };
  if (answer.kind === "signed_out") return { ...unsure, line: words.signedOut, action: "sign-in" };
  if (answer.kind === "refused") return { ...unsure, line: answer.detail || words.refused };
  return { ...unsure, line: words.noAnswer, action: "again" };
}

/* Shows it; `use` gets what was pressed: "next", "again" or "sign-in" */
export function showVerdict(verdict, use) {
  const section = copy(`panel-${verdict.panel}`);
  idle.hidden = true;
  place.hidden = false;
  place.replaceChildren(section);   // first the live region, then its words, so that they are read out
  section.querySelector("h1").textContent = verdict.word;
  section.querySelector(".why").textContent = verdict.line;
  const facts = section.querySelector(".facts");
  for (const { label, value } of (verdict.facts ?? []).slice(0, 3)) {
    const pair = document.createElement("div");
    pair.append(document.createElement("dt"), document.createElement("dd"));
    [pair.firstChild.textContent, pair.lastChild.textContent] = [label, value];
    facts.append(pair);
    facts.hidden = false;
  }
  for (const button of section.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => use(button.dataset.do));
    if (button.dataset.do === verdict.action) button.hidden = false;
    else if (verdict.action) button.className = "second";
  }
  section.querySelector("[data-do]:not([hidden])").focus({ preventScroll: true });
  scrollTo(0, 0);
}

export function hideVerdict() {
  place.hidden = true;
  place.replaceChildren();
  idle.hidden = false;
}

export function logVerdict(verdict) {
  const line = copy(`log-${verdict.panel}`), now = new Date(), time = line.querySelector("time");
  const detail = verdict.facts?.[0]?.value ?? verdict.line;
  line.querySelector(".text-truncate").textContent = verdict.panel === "no" ? `${verdict.word} · ${verdict.line}` : `${verdict.word} · ${detail}`;
  time.textContent = now.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hour12: false });
  time.dateTime = now.toISOString();
  log.prepend(line);
  while (log.children.length > KEPT_IN_LOG) log.lastChild.remove();
}
