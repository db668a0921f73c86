/* What the scanner asks of the server. Every answer is one of
     {kind: "ok", body}                what it says
     {kind: "refused", code, detail}   it will not do this, and says why
     {kind: "signed_out", csrf}        it does not know this device (any more); with csrf, it still takes its scans
     {kind: "failed"}                  it tripped or has too much to do; the same may be sent again
     {kind: "no_answer"}               nothing came in time; likewise */

const VERDICT_MS = 1500, OTHERS_MS = 20_000;
const NOT_READ = "csrf";   // the token is of another hour; sync() brings a new one

export class Server {
  constructor(config) {
    this.config = config;
    this.csrf = "";
    this.onContact = () => {};   // called with true when it answered, false when it did not
  }

  /* The verdict on a code. The nonce makes it one scan however often it is asked. */
  judge(credential, nonce) {
    return this.post(this.config.verify_url, { credential, nonce }, VERDICT_MS);
  }

  /* {taken: [nonce], refused: [{nonce, detail}]} of the scans of one desk */
  upload(desk, scans) { return this.post(this.config.uploads_url, { desk, scans }); }

  /* one use of the desk's benefit by whoever a scan was of; the scan's nonce makes it one however often it is asked */
  count(nonce) { return this.post(this.config.count_url, { nonce }, VERDICT_MS); }

  undo(nonce, reason) { return this.post(this.config.undo_url, { nonce, reason }, VERDICT_MS * 2); }

  /* today's scans of this desk: {day, scans, total} */
  log() { return this.send(this.ofDesk(this.config.log_url), { signal: AbortSignal.timeout(VERDICT_MS * 2) }); }

  /* what the device needs to judge alone; the new token with it */
  async facts(signal = AbortSignal.timeout(OTHERS_MS)) {
    const answer = await this.send(this.ofDesk(this.config.facts_url), { signal });
    this.csrf = answer.body?.csrf ?? answer.csrf ?? this.csrf;
    return answer;
  }

  /* the signed status list as it came, or null */
  async statusList() {
    try {
      const response = await fetch(this.config.status_url, { cache: "no-cache", signal: AbortSignal.timeout(OTHERS_MS) });
      return response.ok ? await response.text() : null;
    } catch {
      return null;
    }
  }

  ofDesk(address) {
    const url = new URL(address, location.href);
    url.searchParams.set("desk", this.config.desk);
    return url;
  }

  /* all that it takes within one budget */
  async post(address, body, budget = OTHERS_MS) {
    const signal = AbortSignal.timeout(budget);
    const request = () => this.send(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": this.csrf },
      body: JSON.stringify({ desk: this.config.desk, ...body }),
      signal,
    });
    if (!this.csrf) await this.facts(signal);
    const answer = await request();
    if (answer.code !== NOT_READ) return answer;
    await this.facts(signal);
    return request();
  }

  async send(address, { headers, ...how }) {
    if (!navigator.onLine) return this.answered({ kind: "no_answer" });
    try {
      const response = await fetch(address, { redirect: "manual", ...how, headers: { Accept: "application/json", ...headers } });
      return this.answered(await answerOf(response));
    } catch (error) {
      return this.answered({ kind: error instanceof SyntaxError ? "failed" : "no_answer" });   // an answer, but no JSON
    }
  }

  answered(answer) {
    this.onContact(answer.kind !== "no_answer");
    return answer;
  }
}

async function answerOf(response) {
  if (response.ok) return { kind: "ok", body: await response.json() };
  if (response.type === "opaqueredirect") return { kind: "signed_out" };
  if (response.status >= 500 || response.status === 429) return { kind: "failed" };
  const { code, detail, csrf } = await response.json();
  if (response.status === 401) return { kind: "signed_out", csrf };
  if (response.status === 403 && code === "not_allowed") return { kind: "signed_out" };
  return { kind: "refused", code, detail };
}
