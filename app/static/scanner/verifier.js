/* Judges a card's code by itself: form, signature, dates. The twin of app/cards/payload.py and reading.py;
   both are held to tests/cards/vectors/codes.json.gz. No page, no network, no clock: whoever asks says when. */

export const HEADER_BYTES = 11;

const CONTEXT = new TextEncoder().encode("carnet-card-v1\0");
const FORMAT = 1, STATIC = 1, LIVE = 2;
const SIGNATURE_BYTES = 64, WINDOW_MS = 30_000;
const TAIL_BYTES = { [STATIC]: 2, [LIVE]: 4 };
const EXPIRY_EPOCH_MS = Date.UTC(2020, 0, 1), DAY_MS = 86_400_000;
const DIGITS = /^[1-9][0-9]{0,199}$/;

/* "HTTPS://HOST/C/" of an address that is a scheme and a host */
export const cardPrefix = (cardBaseUrl) => cardBaseUrl.replace(/\/+$/, "").toUpperCase() + "/C/";

const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]));
const bigEndian = (bytes) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);

function bytesOf(number) {
  const hex = number.toString(16);
  return Uint8Array.from((hex.length % 2 ? "0" + hex : hex).match(/../g), (pair) => parseInt(pair, 16));
}

/* Takes a scanned text, or its digits alone, apart; null unless it is the one form of a code of ours.
   contents: {keyId, statusIndex, cardId, tier, expiresOn: "2027-01-22" | null, window: number | null} */
export function parseCode(text, cardBaseUrl) {
  const prefix = cardPrefix(cardBaseUrl);
  const digits = text.startsWith(prefix) ? text.slice(prefix.length) : text;
  if (!DIGITS.test(digits)) return null;
  const raw = bytesOf(BigInt(digits));
  if (raw[0] !== 1 || raw.length <= SIGNATURE_BYTES + HEADER_BYTES) return null;
  const body = raw.slice(1, -SIGNATURE_BYTES), tail = body.slice(HEADER_BYTES);
  const kind = body[0] >> 4;
  if ((body[0] & 15) !== FORMAT || tail.length !== TAIL_BYTES[kind]) return null;
  const number = bigEndian(tail);
  return {
    body,
    signature: raw.slice(-SIGNATURE_BYTES),
    contents: {
      keyId: body[1],
      statusIndex: bigEndian(body.slice(2, 5)),
      cardId: bigEndian(body.slice(5, 10)),
      tier: body[10],
      expiresOn: kind === STATIC ? new Date(EXPIRY_EPOCH_MS + number * DAY_MS).toISOString().slice(0, 10) : null,
      window: kind === LIVE ? number : null,
    },
  };
}

/* Public keys by id, from the JWK set of the server: Map of id -> async (signature, message) => boolean.
   engine: "webcrypto" or "noble"; by default the browser's own where it knows Ed25519. */
export async function loadKeys(jwks, engine = null) {
  const keys = new Map();
  for (const jwk of jwks.keys) {
    const id = /^card-(\d+)$/.exec(jwk.kid);   // other keys sign other things
    if (id) keys.set(Number(id[1]), await verifyingKey(jwk, engine));
  }
  return keys;
}

/* async (signature, message) => boolean of one public key */
export async function verifyingKey(jwk, engine = null) {
  if (jwk.kty !== "OKP" || jwk.crv !== "Ed25519") throw new Error(`${jwk.kid} is no Ed25519 key`);
  const raw = bytesOfBase64url(jwk.x);
  return engine === "noble" ? nobleKey(raw) : ownKey(raw, engine);
}

export const bytesOfBase64url = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));

async function ownKey(raw, engine) {
  try {
    const key = await crypto.subtle.importKey("raw", raw, "Ed25519", false, ["verify"]);
    return (signature, message) => crypto.subtle.verify("Ed25519", key, signature, message);
  } catch (error) {
    if (engine === "webcrypto") throw error;
    return nobleKey(raw);   // a browser from before Ed25519
  }
}

async function nobleKey(raw) {
  const { Point, verifyAsync } = await import("../vendor/ed25519.js");
  return async (signature, message) => {
    try {
      // Strict, as RFC 8032. It compares eight times both sides, Python and WebCrypto the sides themselves: a
      // signature whose R lies outside the base point's group is none to them.
      const isSigned = await verifyAsync(signature, message, raw, { zip215: false });
      return isSigned && Point.fromBytes(signature.slice(0, 32)).isTorsionFree();
    } catch {
      return false;   // it throws on points and numbers out of range
    }
  };
}

/* {reason, contents}: the first reason that applies of forged, unknown_card, stale_code, expired_card, ok.
   keys: of loadKeys; now: milliseconds since 1970; today: the association's day, "2026-11-23".
   contents is null when forged or unknown. */
export async function readCode(text, { cardBaseUrl, keys, now, today }) {
  const code = parseCode(text, cardBaseUrl);
  if (!code) return { reason: "forged", contents: null };
  const { contents } = code;
  const isSigned = keys.get(contents.keyId);
  if (!isSigned) return { reason: "unknown_card", contents: null };
  if (!await isSigned(code.signature, join(CONTEXT, code.body))) return { reason: "forged", contents: null };
  if (contents.window !== null && Math.abs(contents.window - Math.floor(now / WINDOW_MS)) > 1) return { reason: "stale_code", contents };
  if (contents.expiresOn !== null && contents.expiresOn < today) return { reason: "expired_card", contents };
  return { reason: "ok", contents };
}
