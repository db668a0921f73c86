/* What time it is at the server: its own word at the last answer, plus a clock that only runs forward, so that a wrong
   phone clock does no harm. The phone's own clock is asked one thing only: how long a sleep or a closed page lasted. */

const SLEPT_MS = 3_000;   // the forward clock stands still in some phones' sleep

export class ServerClock {
  #base = 0;              // server time in ms when performance.now() was 0
  #drift = 0;             // Date.now() - performance.now() when last looked at
  isSet = false;
  doubt = "";             // "guessed": the phone's clock filled a gap; "moved": it was changed meanwhile

  now() {
    return this.#base + performance.now();
  }

  /* the server's word, and when it was asked and heard, by performance.now() */
  hear(serverTime, askedAt, heardAt) {
    this.#set(serverTime + performance.now() - (askedAt + heardAt) / 2, "");
  }

  /* a page opened without signal; mark: what mark() gave when the time was last known */
  resume({ server, phone }) {
    const gone = Date.now() - phone;
    this.#set(server + Math.max(0, gone), gone < -SLEPT_MS ? "moved" : "guessed");
  }

  mark() {
    return { server: this.now(), phone: Date.now() };
  }

  /* To be called every second. True when the phone slept or its clock was changed, so that the server should be asked.
     wasHidden: whether the page was out of sight since the last call; a phone does not sleep with it in sight. */
  look(wasHidden) {
    const jump = Date.now() - performance.now() - this.#drift;
    if (!this.isSet || Math.abs(jump) <= SLEPT_MS) return false;
    const slept = jump > 0 && wasHidden;
    this.#set(this.now() + (slept ? jump : 0), slept ? "guessed" : "moved");
    return true;
  }

  #set(now, doubt) {
    this.#base = now - performance.now();
    this.#drift = Date.now() - performance.now();
    this.doubt = doubt;
    this.isSet = true;
  }
}
