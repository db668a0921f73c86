/* The scans of this page: judged by the server where it answers in time and by this device where it does not, counted
   as one use of the desk's benefit, taken back within a minute, and listed for today. */

import { dayIn } from "./clock.js";
import { notCounted, unsure } from "./verdict.js";
import { words } from "./words.js";

const UNDO_MS = 60_000;
const LONGEST_CREDENTIAL = 400;  // as the server takes; what is longer is no code of ours anyway
/* what a device alone would have said, for the server's finer reasons */
const ALONE = { grace: "ok", limit_reached: "not_entitled", replaced: "revoked", suspended: "revoked", lapsed: "revoked", none: "revoked" };

export class Scans {
  constructor(desk, server, queue) {
    Object.assign(this, { desk, server, queue });
    this.recent = new Map();     // nonce -> {nonce, credential, reason, panel, word, line, at, isUndone, countedAt}
  }

  /* The verdict on a code, with `nonce` and `at` where it counts as a scan. The device judges while the server is
     asked, so that waiting for no answer costs no more than the server's budget. */
  async judge(text, nonce) {
    await this.desk.loaded;
    const credential = text.slice(0, LONGEST_CREDENTIAL), at = this.desk.clock.now();
    const own = this.desk.judge(credential, { tier: words.tier, listFrom: words.list_from, needsSignal: words.count_signal });
    own.catch(() => {});         // said below, where it is wanted
    const answer = await this.server.judge(credential, nonce);
    if (["ok", "signed_out"].includes(answer.kind)) this.desk.isEnded = answer.kind === "signed_out";
    if (answer.kind === "ok") return this.remember({ ...answer.body, nonce, at, credential });
    if (answer.kind === "refused") return unsure(answer.detail || words.refused);
    if (this.desk.isEnded) return unsure(this.desk.facts?.device ? words.pairing_ended : words.not_checked, this.desk.facts?.device ? null : "sign-in");
    const verdict = await own;
    if (verdict === null) return unsure(words.no_answer, "again");
    this.queueUp({ nonce, credential, at, reason: verdict.reason, shown: verdict });
    return this.remember({ ...verdict, nonce, at, credential });
  }

  remember(verdict) {
    const { nonce, credential, reason, panel, word, line, at } = verdict;
    this.recent.set(nonce, { nonce, credential, reason, panel, word, line, at, isUndone: false, countedAt: null });
    return verdict;
  }

  queueUp({ nonce, credential, at, reason, shown, undone = null, redeemed = null }) {
    const { list, clock } = this.desk;
    return this.queue.add({
      nonce, credential, undone, redeemed,
      reason: ALONE[reason] ?? reason,
      scanned_at: new Date(at).toISOString(),
      list_issued_at: list ? new Date(list.issuedAt).toISOString() : null,
      clock_skew_ms: clock.skewMs,
      shown: { panel: shown.panel, word: shown.word, line: shown.line },
    });
  }

  /* Counts a scan as one use: {said} where that is done, else the verdict to show. Without signal it goes with the
     queue, where the desk may count by itself. */
  async count(nonce) {
    const scan = this.recent.get(nonce), at = this.desk.clock.now(), redeemed = new Date(at).toISOString();
    if (!this.queue.scans.has(nonce)) {
      const answer = await this.server.count(nonce);
      if (answer.kind === "ok") return this.counted(scan, at, answer.body.line);
      if (answer.kind === "refused") return notCounted(answer.detail);
      if (answer.kind === "signed_out") return unsure(words.not_checked, "sign-in");
      if (!this.desk.countsAlone) return { ...unsure(words.count_unknown, "again"), nonce };
    }
    if (!await this.queue.change(nonce, { redeemed })) await this.queueUp({ ...scan, shown: scan, redeemed });
    return this.counted(scan, at, words.counted_alone);
  }

  counted(scan, at, said) {
    scan.countedAt = at;
    return { said };
  }

  canUndo({ at, countedAt, isUndone }) { return !isUndone && this.desk.clock.now() < (countedAt ?? at) + UNDO_MS; }

  /* Takes a scan back; what to say about it. Without signal it goes with the queue. */
  async undo(nonce, reason) {
    const scan = this.recent.get(nonce), undone = { at: new Date(this.desk.clock.now()).toISOString(), reason };
    if (scan && !this.canUndo(scan)) return words.too_late;
    if (!await this.queue.change(nonce, { undone })) {
      const answer = await this.server.undo(nonce, reason);
      if (answer.kind === "refused") return answer.detail || words.too_late;
      if (answer.kind !== "ok") {
        if (!scan) return words.not_undone;
        const redeemed = scan.countedAt ? new Date(scan.countedAt).toISOString() : null;
        await this.queueUp({ ...scan, shown: scan, undone, redeemed });
      }
    }
    if (scan) scan.isUndone = true;
    return scan?.countedAt ? words.uncounted : words.undone;
  }

  /* today's scans of this desk as {entries, total} of sheets.js: the server's, those that wait, and this page's own */
  async today() {
    const answer = await this.server.log();
    const found = new Map();
    for (const scan of this.recent.values()) found.set(scan.nonce, { ...scan, marks: scan.countedAt ? [words.counted_mark] : [] });
    for (const { nonce, scanned_at, shown, undone, redeemed, refused } of this.queue.ofThisDesk) {
      const marks = [redeemed && words.counted_mark, refused ? words.not_taken : words.not_sent].filter(Boolean);
      const countedAt = redeemed ? Date.parse(redeemed) : null;
      found.set(nonce, { nonce, ...shown, at: Date.parse(scanned_at), countedAt, isUndone: Boolean(undone), marks });
    }
    for (const { nonce, at, panel, word, line, offline, undone, flagged, counted_at: counted } of answer.body?.scans ?? []) {
      const marks = [counted && words.counted_mark, offline && words.offline_scan, flagged && words.flagged].filter(Boolean);
      const waits = this.queue.scans.has(nonce) ? found.get(nonce) : null;
      const countedAt = counted ? Date.parse(counted) : null;
      if (!waits) found.set(nonce, { nonce, panel, word, line, at: Date.parse(at), countedAt, isUndone: undone, marks });
    }
    const { facts, clock } = this.desk;
    const isToday = ({ at }) => !facts || dayIn(facts.time_zone, at) === dayIn(facts.time_zone, clock.now());
    const entries = [...found.values()].filter(isToday).sort((one, other) => other.at - one.at).map((entry) => ({
      ...entry,
      time: this.timeOf(entry.at),
      canUndo: this.canUndo(entry),
      marks: entry.isUndone ? [words.undone_mark, ...entry.marks] : entry.marks,
    }));
    return { entries, total: answer.kind === "ok" ? answer.body.total : null };
  }

  timeOf(ms) { return this.desk.moment(ms, { hour: "2-digit", minute: "2-digit" }); }
}
