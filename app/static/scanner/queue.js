/* The scans this device judged alone, until the server has them. Each is kept on the device before it is sent and
   dropped after the server says it has it, so that a page closed at any moment sends it again; the nonce makes it one
   scan on the server. Where the device's storage is full they stay in the page, which says so. */

import * as store from "./store.js";

const MOST_AT_ONCE = 100;        // as the server takes
const REFUSED_KEPT_MS = 7 * 86_400_000;

/* A scan: {nonce, desk, credential, scanned_at, reason, list_issued_at, clock_skew_ms, undone: null | {at, reason},
   redeemed: null | the instant its use was counted} and, for this device alone, shown: {panel, word, line} and refused: null | the server's words for never taking it */
const sent = ({ nonce, credential, scanned_at, reason, list_issued_at, clock_skew_ms, undone, redeemed = null }) =>
  ({ nonce, credential, scanned_at, reason, list_issued_at, clock_skew_ms, undone, redeemed });

export class Queue {
  constructor(desk, upload) {
    this.desk = desk;
    this.upload = upload;        // async (desk, scans) => an answer of server.js
    this.scans = new Map();      // by nonce
    this.unkept = new Set();     // nonces of those that storage did not take
    this.flushing = null;
    this.onChange = () => {};
  }

  get waiting() { return [...this.scans.values()].filter((scan) => !scan.refused); }
  get ofThisDesk() { return [...this.scans.values()].filter((scan) => scan.desk === this.desk); }

  /* what earlier pages of this device left behind, of whatever desk */
  async load() {
    try {
      for (const scan of await store.all("scans")) this.scans.set(scan.nonce, scan);
    } catch {
      return;   // no storage here: the queue lives in the page, as `unkept` will say
    }
    for (const scan of this.scans.values()) {
      if (scan.refused && Date.now() - Date.parse(scan.scanned_at) > REFUSED_KEPT_MS) await this.forget(scan);
    }
  }

  async add(scan) {
    this.scans.set(scan.nonce, { undone: null, redeemed: null, refused: null, desk: this.desk, ...scan });
    await this.save(scan.nonce);
  }

  /* adds `undone` or `redeemed` to a scan that the server does not have yet; false where it is not here */
  async change(nonce, what) {
    const scan = this.scans.get(nonce);
    if (!scan) return false;
    this.scans.set(nonce, { ...scan, ...what });
    await this.save(nonce);
    return true;
  }

  async save(nonce) {
    const scan = this.scans.get(nonce);
    try {
      await store.keep("scans", scan);
      this.unkept.delete(nonce);
    } catch {
      this.unkept.add(nonce);
    }
    this.onChange();
  }

  async forget(scan) {
    this.scans.delete(scan.nonce);
    this.unkept.delete(scan.nonce);
    await store.drop("scans", scan.nonce).catch(() => {});   // sent once more at worst, and counted once
  }

  /* sends what waits, each desk's for itself, until nothing does or the server does not answer */
  flush() {
    this.flushing ??= this.sendAll().finally(() => { this.flushing = null; });
    return this.flushing;
  }

  async sendAll() {
    for (const desk of new Set(this.waiting.map((scan) => scan.desk))) await this.sendOf(desk);
    for (const nonce of [...this.unkept]) await this.save(nonce);   // there may be room now
  }

  async sendOf(desk) {
    for (;;) {
      const batch = this.waiting.filter((scan) => scan.desk === desk).slice(0, MOST_AT_ONCE);
      if (batch.length === 0) return;
      const answer = await this.upload(desk, batch.map(sent));
      if (answer.kind !== "ok") return;
      const settled = await this.settle(new Map(batch.map((scan) => [scan.nonce, scan])), answer.body);
      this.onChange();
      if (settled === 0) return;
    }
  }

  /* how many of a batch need not be sent again */
  async settle(batch, { taken, refused }) {
    let settled = 0;
    for (const nonce of taken) {
      const before = batch.get(nonce), scan = this.scans.get(nonce);
      if (!before || !scan) continue;
      settled += 1;
      const isSame = scan.undone === before.undone && scan.redeemed === before.redeemed;
      if (isSame) await this.forget(scan);   // else it was undone or counted meanwhile, and goes once more
    }
    for (const { nonce, detail } of refused) {
      const scan = this.scans.get(nonce);
      if (!scan || !batch.has(nonce)) continue;
      settled += 1;
      this.scans.set(nonce, { ...scan, refused: detail });
      await this.save(nonce);
    }
    return settled;
  }
}
