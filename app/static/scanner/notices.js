/* What the top of the page says about this device: signal, list, waiting scans, clock, pairing, storage. */

import { dayIn } from "./clock.js";
import { counted, filled, length, nearDay, words } from "./words.js";

const $ = (id) => document.getElementById(id);
const DAY_MS = 86_400_000;

/* "tomorrow 09:58", or with its date when it is farther away */
export function until(desk, ms) {
  const days = (Date.parse(dayIn(desk.facts.time_zone, ms)) - Date.parse(desk.today)) / DAY_MS;
  if (Math.abs(days) > 1) return desk.moment(ms);
  return `${nearDay(days)} ${desk.moment(ms, { hour: "2-digit", minute: "2-digit" })}`;
}

/* how old the list is and how long it holds; what to do where it does not */
export function aboutList(desk) {
  if (!desk.list) return words.no_list;
  const said = { age: length(desk.clock.now() - desk.listSeenMs), end: until(desk, desk.list.expiresAt) };
  return filled(desk.listIsOver ? words.list_over : words.list, said);
}

const sentences = (...parts) => parts.filter(Boolean).join(" ");

function notes(desk, queue, isOnline) {
  const waiting = queue.waiting.length ? counted(words.waiting, queue.waiting.length) : "";
  const { clock } = desk, skew = { amount: length(Math.abs(clock.skewMs)) };
  const clockTitle = clock.setBack ? words.clock_back : filled(clock.skewMs > 0 ? words.clock_fast : words.clock_slow, skew);
  const isPaired = Boolean(desk.facts?.device);
  const inPage = queue.unkept.size ? counted(words.unkept, queue.unkept.size) : words.list_unkept;
  return {
    ended: desk.isEnded && [isPaired ? words.pairing_ended : words.signed_out, sentences(isPaired ? words.pair_again : words.sign_in_again, waiting)],
    full: (queue.unkept.size > 0 || !desk.isKept) && [words.full, inPage],
    offline: !isOnline && !desk.isEnded && [desk.listIsOver ? words.offline_blind : words.offline, sentences(aboutList(desk), waiting)],
    clock: clock.isWrong && desk.facts && [clockTitle, words.clock_help],
  };
}

export function showNotices(desk, queue, isOnline) {
  $("online").hidden = !isOnline;
  $("offline").hidden = isOnline;
  $("waiting").hidden = !isOnline || queue.waiting.length === 0;   // without signal the banner says it
  $("waiting").dataset.count = queue.waiting.length;
  $("waiting-text").textContent = counted(words.to_send, queue.waiting.length);
  for (const [name, note] of Object.entries(notes(desk, queue, isOnline))) {
    const banner = $(`note-${name}`), [title, detail] = banner.querySelectorAll("b, span span");
    if (note && (banner.hidden || title.textContent !== note[0])) $("said").textContent = note[0];   // read out once
    banner.hidden = !note;
    [title.textContent, detail.textContent] = note || ["", ""];
  }
  $("sign-in").hidden = !desk.isEnded || Boolean(desk.facts?.device);
  if (desk.facts) {
    $("desk-name").textContent = desk.facts.desk.name;
    $("desk-benefit").textContent = desk.facts.benefit ? filled(words.checking, { benefit: desk.facts.benefit.name }) : words.checking_membership;
  }
}
