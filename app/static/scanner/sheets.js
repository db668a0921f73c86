/* What opens over the scanner: the reasons for taking a scan back, and today's scans of this desk. */

import { aboutList } from "./notices.js";
import { logLine } from "./verdict.js";
import { counted, words } from "./words.js";

const $ = (id) => document.getElementById(id);

for (const button of document.querySelectorAll("dialog [data-close]")) {
  button.addEventListener("click", () => button.closest("dialog").close());
}

/* "mistake", "wrong_person" or "left", as chosen; null when the scan stays */
export function chooseReason() {
  const sheet = $("undoing");
  return new Promise((done) => {
    let chosen = null;
    const choose = (event) => {
      chosen = event.target.closest("[data-reason]")?.dataset.reason ?? null;
      if (chosen) sheet.close();
    };
    sheet.addEventListener("click", choose);
    sheet.addEventListener("close", () => { sheet.removeEventListener("click", choose); done(chosen); }, { once: true });
    sheet.showModal();
  });
}

/* entries: [{nonce, panel, word, line, at, time, canUndo, marks: [word]}], newest first; total: how many the server
   counts today, or null without signal; undo: called with the nonce of an entry */
export function fillToday(desk, queue, entries, total, undo) {
  $("today-about").textContent = [
    total === null ? words.only_here : counted(words.today, total),
    queue.waiting.length ? counted(words.waiting, queue.waiting.length) : "",
  ].filter(Boolean).join(" ");
  $("today-list").textContent = aboutList(desk);
  $("today").replaceChildren(...entries.map((entry) => {
    const item = logLine(entry);
    for (const mark of entry.marks) {
      const badge = document.createElement("span");
      badge.className = "tag";
      badge.textContent = mark;
      item.querySelector("time").before(badge);
    }
    if (entry.canUndo) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = words.undo;
      button.setAttribute("aria-label", `${words.undo}: ${entry.word}, ${entry.time}`);
      button.addEventListener("click", () => undo(entry.nonce));
      item.append(button);
    }
    return item;
  }));
  $("today-none").hidden = entries.length > 0;
}
