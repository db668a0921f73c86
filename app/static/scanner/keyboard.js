/* Scanners on a cable or by Bluetooth type what they read, fast, and end with Enter. */

const LONGEST_PAUSE_MS = 600, SHORTEST_CODE = 6;

export function onTypedCode(use) {
  let typed = "", last = 0;
  addEventListener("keydown", (event) => {
    if (event.target.closest?.("input, textarea, dialog")) return;
    if (event.timeStamp - last > LONGEST_PAUSE_MS) typed = "";
    last = event.timeStamp;
    if (event.key === "Enter" && typed.length >= SHORTEST_CODE) {
      event.preventDefault();   // or it would press the button in focus
      const code = typed;
      typed = "";
      use(code);
    } else if (event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
      typed += event.key;
    }
  }, true);
}
