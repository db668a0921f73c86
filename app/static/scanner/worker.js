/* The scanner's service worker: the page opens without signal. It keeps the page of each desk with the files of one
   version and changes them together. VERSION, a digest of all of them, and ASSETS, their addresses, are written above
   this text by app/verification/install_views.py; a page names its version in the address of its manifest. */

const PREFIX = "carnet-scanner-", CACHE = PREFIX + VERSION, PAGE = "/scan";
const PATHS = new Set(ASSETS.map((address) => address.split("?")[0]));
const FONTS = /^\/static\/vendor\/(fonts\/.*\.woff2|ed25519\.js)$/;   // kept once a page has needed them

const isOurs = async (response) => response.ok && !response.redirected && (await response.clone().text()).includes(VERSION);
const olderCaches = async () => (await caches.keys()).filter((name) => name.startsWith(PREFIX) && name !== CACHE);

async function install() {
  const cache = await caches.open(CACHE);
  await cache.addAll(ASSETS);
  for (const name of await olderCaches()) {
    for (const { url } of await (await caches.open(name)).keys()) {
      if (new URL(url).pathname !== PAGE || await cache.match(url)) continue;
      const response = await fetch(url);
      if (await isOurs(response)) await cache.put(url, response);
      else if (response.redirected) throw new Error("signed out: the version that is here stays");
    }
  }
  await self.skipWaiting();
}

async function activate() {
  for (const name of await olderCaches()) await caches.delete(name);
  await self.clients.claim();
}

/* The page from here at once, and a fresh one for the next time; from the server where there is none. */
async function page(event) {
  const { url } = event.request, kept = await caches.match(url, { cacheName: CACHE });
  const fetched = fetch(event.request);
  event.waitUntil(fetched.then((response) => keepPage(url, response.clone()), () => {}));
  if (kept) return kept;
  try {
    return await fetched;
  } catch (error) {
    const [any] = (await (await caches.open(CACHE)).keys()).filter((request) => new URL(request.url).pathname === PAGE);
    if (!any || new URL(url).search) throw error;
    return Response.redirect(any.url);
  }
}

async function keepPage(url, response) {
  if (new URL(url).searchParams.has("desk") && await isOurs(response)) await keep(url, response);
}

/* A worker that a newer one has followed may still be waiting for an answer: it does not make its cache again. */
async function keep(request, response) {
  if (await caches.has(CACHE)) await (await caches.open(CACHE)).put(request, response);
}

async function file(request) {
  const kept = await caches.match(request, { cacheName: CACHE, ignoreSearch: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && FONTS.test(new URL(request.url).pathname)) await keep(request, response.clone());
  return response;
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));
self.addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === PAGE) event.respondWith(page(event));
  else if (PATHS.has(url.pathname) || FONTS.test(url.pathname)) event.respondWith(file(request));
});
/* the first page was there before its worker: it asks to be kept */
self.addEventListener("message", (event) => {
  if (event.data.takeOver) event.waitUntil(self.skipWaiting());
  else event.waitUntil(fetch(event.data.keep).then((response) => keepPage(event.data.keep, response), () => {}));
});
