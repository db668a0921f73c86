/* The card without signal: the service worker of /card. FILES, written above by the server, is what the kept page
   loads, with the version of files whose address names none; a change there makes this another worker. */

const KEPT_PAGE = "/card/kept", PAGES = "card-page", STORED = "card-files", PATIENCE_MS = 4_000;

/* An answer within some seconds: one bar of signal is no signal */
function patiently(request) {
  return new Promise((resolve, reject) => {
    setTimeout(reject, PATIENCE_MS, new Error("no answer in time"));
    fetch(request).then(resolve, reject);
  });
}

async function card(request) {
  let response;
  try {
    response = await patiently(request);
    if (response.type === "opaqueredirect") await forget();       // nobody is signed in here any more
    if (response.status < 500) return response;
  } catch {
    // no signal
  }
  return (await (await caches.open(PAGES)).match(KEPT_PAGE)) ?? response ?? Response.error();
}

async function forget() {
  await caches.delete(PAGES);
  indexedDB.deleteDatabase("card");
}

async function file(request, hasVersion) {
  const stored = await caches.open(STORED);
  const same = await stored.match(request, { ignoreVary: true });
  if (same && hasVersion) return same;
  try {
    return await patiently(request);
  } catch (error) {
    const other = same ?? await stored.match(request, { ignoreVary: true, ignoreSearch: true });
    if (other) return other;
    throw error;
  }
}

addEventListener("install", (event) => {
  skipWaiting();
  event.waitUntil(caches.open(STORED).then((stored) => stored.addAll(Object.keys(FILES).map((address) => new Request(address, { cache: "no-cache" })))));
});

addEventListener("activate", (event) => {
  const old = async () => {
    const stored = await caches.open(STORED), wanted = Object.keys(FILES).map((address) => new URL(address, location).href);
    await Promise.all((await stored.keys()).filter((request) => !wanted.includes(request.url)).map((request) => stored.delete(request)));
    await clients.claim();
  };
  event.waitUntil(old());
});

addEventListener("fetch", (event) => {
  const { request } = event, url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate" && url.pathname === "/card") event.respondWith(card(request));
  else if (url.pathname.startsWith("/static/")) event.respondWith(file(request, url.searchParams.has("v")));
});
