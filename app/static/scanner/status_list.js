/* Opens the signed list of cards withdrawn (app/cards/status_list.py): checks who signed it, unpacks it, looks cards up.
   No page, no network, no clock: whether a list is too old is for whoever asks, by expiresAt. */

import { bytesOfBase64url, verifyingKey } from "./verifier.js";

const LARGEST_BYTES = 2 ** 24 / 8;   // a card's code has room for indices of 24 bits

/* {issuedAt, expiresAt: milliseconds since 1970, isSet(index): boolean, or null beyond the list's end}
   jwks: the server's JWK set, of which only keys for the list count; url: whose list it must be, where that is known.
   Throws where the list is not whole or not signed by such a key. */
export async function openStatusList(token, jwks, { url = null, engine = null } = {}) {
  if (!/^[\w-]+\.[\w-]+\.[\w-]{86}$/.test(token)) throw new Error("not a signed list");
  const [head, body, signature] = token.split(".");
  const header = read(head);
  if (header.typ !== "statuslist+jwt" || header.alg !== "EdDSA" || "crit" in header) throw new Error("not a status list");
  const jwk = jwks.keys.find((key) => key.kid === header.kid && /^status-\d+$/.test(key.kid));
  if (!jwk) throw new Error("signed by an unknown key");
  const isSigned = await verifyingKey(jwk, engine);
  if (!await isSigned(bytesOfBase64url(signature), new TextEncoder().encode(`${head}.${body}`))) throw new Error("forged list");
  const { sub, iat, exp, status_list: list } = read(body);
  if (url !== null && sub !== url) throw new Error("the list of somebody else");
  if (!Number.isSafeInteger(iat) || !Number.isSafeInteger(exp) || exp <= iat || list?.bits !== 1) throw new Error("not a list of ours");
  const bits = await inflate(bytesOfBase64url(list.lst));
  return {
    issuedAt: iat * 1000,
    expiresAt: exp * 1000,
    isSet: (index) => index < bits.length * 8 ? (bits[index >> 3] >> (index & 7) & 1) === 1 : null,
  };
}

const read = (part) => JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytesOfBase64url(part)));

/* what is packed into little and unpacks into very much is given up early */
async function inflate(packed) {
  const unpacking = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate")).getReader();
  const bits = new Uint8Array(LARGEST_BYTES);
  let length = 0;
  for (;;) {
    const { done, value } = await unpacking.read();
    if (done) return bits.slice(0, length);
    if (length + value.length > LARGEST_BYTES) {
      await unpacking.cancel();
      throw new Error("longer than a list can be");
    }
    bits.set(value, length);
    length += value.length;
  }
}
