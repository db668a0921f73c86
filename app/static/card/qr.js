/* Draws a card's code as app/cards/qr.py does: one unit is one module, black on white, quiet zone 4. */

import qrcode from "../vendor/qrcode.mjs";

const SVG = "http://www.w3.org/2000/svg", QUIET_ZONE = 4;

function element(name, attributes) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  return node;
}

/* prefix: capitals, digits and :/.-; digits: the number. Together version 6 at level M, 41 modules,
   while the prefix has at most 36 characters. */
export function drawCode(prefix, digits, label) {
  const code = qrcode(0, "M");
  code.addData(prefix, "Alphanumeric");
  code.addData(digits, "Numeric");
  code.make();
  const count = code.getModuleCount(), size = count + 2 * QUIET_ZONE;
  let dark = "";
  for (let y = 0; y < count; y++) {
    for (let x = 0, start; x < count; x++) {
      for (start = x; x < count && code.isDark(y, x);) x++;
      if (x > start) dark += `M${start + QUIET_ZONE} ${y + QUIET_ZONE}h${x - start}v1h-${x - start}z`;
    }
  }
  const svg = element("svg", { class: "qr", viewBox: `0 0 ${size} ${size}`, role: "img", "aria-label": label, "shape-rendering": "crispEdges" });
  svg.append(element("path", { fill: "#fff", d: `M0 0h${size}v${size}H0z` }), element("path", { d: dark }));
  return svg;
}
