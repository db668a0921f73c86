/* The server's time on this device: what the server said at the last sync, carried on by the device.

   Within a page the steady clock (performance.now) carries it, so that setting the device's clock changes nothing.
   It stops while some devices sleep; then the device's own clock is ahead of it and is believed. Behind it, nobody
   slept: somebody set the clock back, and it counts as wrong until the next sync. */

const TOLERATED_MS = 60_000;

export class Clock {
  constructor() {
    this.skewMs = 0;         // device minus server at the last sync
    this.setBack = false;
    this.start(Date.now());
  }

  start(serverMs) {
    this.from = { server: serverMs, device: Date.now(), steady: performance.now() };
  }

  /* the server has just said what time it is, in milliseconds since 1970 */
  sync(serverMs) {
    this.skewMs = Math.round(Date.now() - serverMs);
    this.setBack = false;
    this.start(serverMs);
  }

  /* what an earlier page of this device kept; `seenMs` is the server's time when it did */
  restore({ skewMs, seenMs }) {
    this.skewMs = skewMs;
    this.start(Date.now() - skewMs);
    this.setBack = this.from.server < seenMs - TOLERATED_MS;
  }

  /* milliseconds since 1970, as the server counts them */
  now() {
    const steady = this.from.server + performance.now() - this.from.steady;
    const device = this.from.server + Date.now() - this.from.device;
    if (device - steady > TOLERATED_MS) {
      this.start(device);
      return device;
    }
    if (steady - device > TOLERATED_MS) this.setBack = true;
    return steady;
  }

  get isWrong() { return this.setBack || Math.abs(this.skewMs) > TOLERATED_MS; }
}

/* the day of an instant in a time zone, "2026-11-23" */
export function dayIn(timeZone, ms) {
  const parts = new Intl.DateTimeFormat("en", { timeZone, year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(ms);
  const part = (type) => parts.find((one) => one.type === type).value;
  return `${part("year")}-${part("month")}-${part("day")}`;
}
