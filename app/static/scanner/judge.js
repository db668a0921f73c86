/* The verdict of a device without signal, from the code and what the last sync brought. No page, no network, no clock.
   The order of reasons is that of app/verification/rules.py, but for one: a card that the list names is refused also
   where this device's clock is wrong, since amber would let it in on sight of an ID. */

import { readCode } from "./verifier.js";

/* {reason, kind: "live" | "static", tierId: number | null}
   list: of openStatusList, or null; benefit: {tier_ids} of the desk, or null; now: the server's milliseconds;
   today: the association's day; clockIsWrong: this device's clock, at the last sync */
export async function judge(text, { cardBaseUrl, keys, list, benefit, now, today, clockIsWrong }) {
  const { reason, contents } = await readCode(text, { cardBaseUrl, keys, now, today });
  const kind = contents?.window == null ? "static" : "live";
  const found = (why) => ({ reason: why, kind, tierId: contents?.tier ?? null });
  if (reason !== "ok") return found(reason);
  const isListGood = list !== null && now < list.expiresAt;
  const isSet = isListGood ? list.isSet(contents.statusIndex) : false;   // null beyond the list's end
  if (isSet ?? true) return found(isSet === null ? "unknown_card" : "revoked");
  if (kind === "live" && clockIsWrong) return found("clock_wrong");
  if (!isListGood) return found("list_too_old");
  if (benefit && !benefit.tier_ids.includes(contents.tier)) return found("not_entitled");
  return found("ok");
}
