/* Asks the server for its verdict. */

const BUDGET_MS = 1500;

/* One of
     {kind: "verdict", verdict}      what the server says
     {kind: "refused", detail}       it will not judge this, and says why
     {kind: "signed_out"}            it does not know us any more
     {kind: "failed"}                it tripped; ask again with the same nonce
     {kind: "no_answer"}             nothing came in time; likewise
   The nonce makes it one scan however often it is asked. */
export async function askServer(config, credential, nonce) {
  const request = {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": config.csrf },
    body: JSON.stringify({ desk: config.desk, credential, nonce }),
    redirect: "manual",
    signal: AbortSignal.timeout(BUDGET_MS),
  };
  try {
    const response = await fetch(config.verify_url, request);
    if (response.type === "opaqueredirect" || response.status === 401 || response.status === 403) return { kind: "signed_out" };
    if (response.ok) return { kind: "verdict", verdict: await response.json() };
    if (response.status >= 500) return { kind: "failed" };
    return { kind: "refused", detail: (await response.json()).detail };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "failed" };   // an answer, but not JSON
    return { kind: "no_answer" };
  }
}
