/* The screen while a code is shown: it stays on, and a tap makes the code as large as it gets, on white.
   No web page can turn the brightness up. */

const $ = (id) => document.getElementById(id);
let lock = null, asking = false, refused = false, shown = null;

/* Keep the screen on, or let it go; browsers without a wake lock, and phones that save battery, do as they like */
export async function stayAwake(wanted) {
  if (!wanted) {
    lock?.release();
    return;
  }
  if (lock || asking || refused || !navigator.wakeLock || document.visibilityState !== "visible") return;
  asking = true;
  try {
    lock = await navigator.wakeLock.request("screen");
    lock.addEventListener("release", () => { lock = null; });
  } catch {
    refused = true;          // until the page is looked at again
  }
  asking = false;
}

document.addEventListener("visibilitychange", () => { refused = false; });

const large = $("card-large");

/* The same code and clock once more, large, while the dialog is open */
export function drawLarge(code, clock) {
  if (!large.open) return;
  if (!code) large.close();
  else if (code !== shown) $("card-large-code").replaceChildren(code.cloneNode(true));
  shown = code;
  $("card-large-clock").textContent = clock;
}

export function onLarge(show) {
  const open = () => { if (!$("card-code").hidden) { large.showModal(); show(); } };
  $("show-large").addEventListener("click", open);
  $("card-code").addEventListener("click", open);
  $("card-large-code").addEventListener("click", () => large.close());
}
