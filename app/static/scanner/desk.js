/* What this device knows of its desk, to judge without signal: keys, words, the status list, the server's clock.
   Asked for at the start and every five minutes, and kept on the device between two openings of the page. */

import { Clock, dayIn } from "./clock.js";
import { judge } from "./judge.js";
import { openStatusList } from "./status_list.js";
import * as store from "./store.js";
import { loadKeys } from "./verifier.js";
import { lang } from "./words.js";

export class Desk {
  constructor(id, server) {
    this.id = id;
    this.server = server;
    this.clock = new Clock();
    this.facts = null;           // of GET /scan/facts
    this.token = null;           // the status list as it came, and opened:
    this.list = null;
    this.keys = null;
    this.listSeenMs = null;      // the server's time when it last gave the list
    this.isEnded = false;        // the server does not know this device any more
    this.isKept = true;          // false where storage did not take what we know
    this.syncing = null;
    this.loaded = this.load();
  }

  /* what an earlier page kept */
  async load() {
    const kept = await store.find("desks", this.id).catch(() => null);
    if (!kept) return;
    this.clock.restore(kept.clock);
    this.isEnded = kept.isEnded;
    this.listSeenMs = kept.listSeenMs;
    await this.use(kept.facts, kept.token).catch((error) => console.warn(error));   // the next sync brings better
  }

  async use(facts, token) {
    this.facts = facts;
    this.server.csrf ||= facts.csrf;
    this.keys = await loadKeys(facts.jwks);
    if (token === null) return;
    try {
      const list = await openStatusList(token, facts.jwks);
      if (this.list && list.issuedAt < this.list.issuedAt) return;   // an older one, from some cache
      this.list = list;
      this.token = token;
      return true;
    } catch (error) {
      console.warn(error);       // not the server's list: the one we have goes on until its end
    }
  }

  /* asks the server for all of it; true when it came */
  sync() {
    this.syncing ??= this.ask().finally(() => { this.syncing = null; });
    return this.syncing;
  }

  async ask() {
    const asked = performance.now();
    const answer = await this.server.facts();
    if (answer.kind === "signed_out") this.isEnded = true;
    else if (answer.kind !== "ok") return false;
    else {
      this.isEnded = false;
      this.clock.sync(Date.parse(answer.body.server_time) + (performance.now() - asked) / 2);
      if (await this.use(answer.body, await this.server.statusList())) this.listSeenMs = this.clock.now();
    }
    await this.keep();
    return !this.isEnded;
  }

  async keep() {
    if (!this.facts) return;
    const { id, facts, token, listSeenMs, isEnded, clock } = this;
    const kept = { desk: id, facts, token, listSeenMs, isEnded, clock: { skewMs: clock.skewMs, seenMs: clock.now() } };
    this.isKept = await store.keep("desks", kept).then(() => true, () => false);
  }

  get today() { return dayIn(this.facts.time_zone, this.clock.now()); }

  get listIsOver() { return this.list === null || this.clock.now() >= this.list.expiresAt; }

  get countsAlone() { return Boolean(this.facts?.benefit?.count?.alone); }

  /* The verdict on a code by what is known here, as words.py would say it; null where nothing is known.
     {reason, panel, word, line, facts, count, note}; labels: {tier, listFrom, needsSignal} */
  async judge(text, labels) {
    if (!this.facts) return null;
    const { reason, kind, tierId } = await judge(text, {
      cardBaseUrl: this.facts.card_base_url, keys: this.keys, list: this.list, benefit: this.facts.benefit,
      now: this.clock.now(), today: this.today, clockIsWrong: this.clock.isWrong,
    });
    const words = this.facts.verdicts[reason][kind], tier = this.facts.tiers[tierId];
    const facts = [];
    if (tier && ["ok", "check", "other"].includes(words.panel)) facts.push({ label: labels.tier, value: tier.name });
    if (reason === "list_too_old" && this.list) facts.push({ label: labels.listFrom, value: this.moment(this.list.issuedAt) });
    const count = reason === "ok" ? this.facts.benefit?.count : null;
    return { reason, ...words, facts, count: count?.alone ? count.label : null, note: count && !count.alone ? labels.needsSignal : null };
  }

  /* an instant in the association's time, "21 Nov 2026, 18:05" */
  moment(ms, how = { dateStyle: "medium", timeStyle: "short" }) {
    return new Intl.DateTimeFormat(lang, { timeZone: this.facts?.time_zone, hour12: false, ...how }).format(ms);
  }
}
