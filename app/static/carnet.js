/* Enhances what the page already says; every page works without it. */
(() => {
  "use strict";

  /* a page that waits for the bank looks again by itself, a few times, while somebody is looking at it */
  const waiting = document.querySelector("[data-look-again]");
  if (waiting) {
    const tries = Number(new URLSearchParams(location.search).get("again") || 0);
    const look = () => {
      if (document.visibilityState !== "visible") { document.addEventListener("visibilitychange", look, { once: true }); return; }
      const next = new URL(location.href);
      next.searchParams.set("again", tries + 1);
      location.replace(next);
    };
    if (tries < 20) setTimeout(look, Number(waiting.dataset.lookAgain) * 1000 * (1 + tries / 4));
  }

  /* a form is sent once, however often its button is pressed; coming back by the back button arms it again */
  addEventListener("submit", (e) => {
    if (e.target.method !== "post") return;
    if (e.target.dataset.sent) e.preventDefault();
    e.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => { for (const f of document.forms) delete f.dataset.sent; });

  /* What a device keeps of a card belongs to whoever is signed in: on anybody else's page it goes, and before signing out.
     A page that does not know whose it is (the server broke) leaves it alone. */
  const holder = document.documentElement.dataset.holder;
  const kept = () => { try { return localStorage.getItem("card-holder"); } catch { return null; } };
  const forget = async () => (await import("./card/store.js")).forget();
  if (kept() !== null && holder !== undefined && holder !== kept()) forget();
  addEventListener("submit", (e) => {
    if (e.defaultPrevented || kept() === null || new URL(e.target.action).pathname !== "/sign-out") return;
    e.preventDefault();
    forget().finally(() => HTMLFormElement.prototype.submit.call(e.target));
  });

  /* a text to copy, where the browser can */
  if (navigator.clipboard) for (const b of document.querySelectorAll("[data-copy]")) {
    b.hidden = false;
    b.addEventListener("click", async () => { await navigator.clipboard.writeText(b.dataset.copy); b.firstChild.data = b.dataset.copied; });
  }

  /* a menu made of <details> closes on Escape and on a click elsewhere */
  addEventListener("keydown", (e) => { if (e.key === "Escape") for (const d of document.querySelectorAll(".menu[open]")) { d.open = false; d.firstElementChild.focus(); } });
  addEventListener("click", (e) => { for (const d of document.querySelectorAll(".menu[open]")) if (!d.contains(e.target)) d.open = false; });
})();
