/* The verdict on the whole screen, and its line among the last ones. */

import { words } from "./words.js";

const KEPT_IN_LOG = 3;

const place = document.getElementById("verdict"), idle = document.getElementById("idle"), log = document.getElementById("log");
const copy = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

/* What is shown where nobody judged. `action`, beside "next": "again" or "sign-in" */
export const unsure = (line, action = null) => ({ panel: "unsure", word: words.cannot_tell, line, facts: [], reason: null, action });

/* What is shown where a use was asked for and refused. */
export const notCounted = (line) => ({ panel: "other", word: words.not_counted, line, facts: [], reason: null });

/* Shows it; `use` gets what was pressed: "next", "count", "again", "sign-in", "undo" or "wrong_person".
   `count`: what its button says; `note`: why there is none */
export function showVerdict(verdict, use) {
  const section = copy(`panel-${verdict.panel}`), word = section.querySelector("h1");
  idle.hidden = true;
  place.hidden = false;
  place.replaceChildren(section);   // first the live region, then its words, so that they are read out
  section.dataset.reason = verdict.reason ?? "";
  word.textContent = verdict.word;
  word.dataset.letters = Math.min(14, Math.max(...verdict.word.split(" ").map((part) => part.length)));
  word.dataset.words = Math.min(3, verdict.word.split(" ").length);
  section.querySelector(".why").textContent = verdict.line;
  if (verdict.person) showPerson(section.querySelector(".who"), verdict.person, verdict.facts ?? []);
  else showFacts(section.querySelector(".facts"), verdict.facts ?? []);
  for (const button of section.querySelectorAll("[data-do]")) {
    button.addEventListener("click", () => use(button.dataset.do));
    if (button.dataset.do === verdict.action) button.hidden = false;
    else if (verdict.action && button.dataset.do === "next") button.className = "second";
    if (["undo", "wrong_person"].includes(button.dataset.do)) button.hidden = !verdict.nonce;
  }
  offerToCount(section, verdict);
  section.querySelector(verdict.count ? "[data-do=count]" : "[data-do=next]").focus({ preventScroll: true });
  if (verdict.action) section.querySelector(`[data-do=${verdict.action}]`).focus({ preventScroll: true });
  scrollTo(0, 0);
}

/* one tap counts a use: its button is then the big one, and the one that goes on without stands below */
function offerToCount(section, { count, note }) {
  const button = section.querySelector("[data-do=count]"), about = section.querySelector(".count-note");
  if (!button) return;
  section.toggleAttribute("data-count", Boolean(count));
  button.hidden = !count;
  about.hidden = !note;
  if (button.dataset.name !== undefined) button.lastElementChild.textContent = count ?? "";
  about.textContent = note ?? "";
}

/* nothing more can be pressed until the answer is there */
export const showBusy = () => place.firstElementChild.setAttribute("aria-busy", "true");

/* person: {name, photo_url | null}, only where this desk may see who it is */
function showPerson(block, person, facts) {
  block.hidden = false;
  block.querySelector("b").textContent = person.name;
  block.querySelector("span span").textContent = facts.map(({ label, value }, place) => place ? `${label} ${value}` : value).join(" · ");
  if (!person.photo_url) return;
  const photo = block.querySelector("img");
  photo.src = person.photo_url;
  photo.hidden = false;
}

function showFacts(list, facts) {
  for (const { label, value } of facts.slice(0, 3)) {
    const pair = document.createElement("div");
    pair.append(document.createElement("dt"), document.createElement("dd"));
    [pair.firstChild.textContent, pair.lastChild.textContent] = [label, value];
    list.append(pair);
    list.hidden = false;
  }
}

export function hideVerdict() {
  place.hidden = true;
  place.replaceChildren();
  idle.hidden = false;
}

/* one line of a log: {panel, word, line, at: milliseconds, time: "10:41"} */
export function logLine({ panel, word, line, at, time }) {
  const item = copy(`log-${panel}`), when = item.querySelector("time");
  item.querySelector(".text-truncate").textContent = line ? `${word} · ${line}` : word;
  when.textContent = time;
  when.dateTime = new Date(at).toISOString();
  return item;
}

/* something more about the newest line */
export const addToNewest = (mark) => log.firstElementChild?.querySelector(".text-truncate").append(` · ${mark}`);

export function addToLog(entry) {
  log.prepend(logLine(entry));
  while (log.children.length > KEPT_IN_LOG) log.lastChild.remove();
}
