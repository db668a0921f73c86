/* What a device keeps of a card: codes and clock in IndexedDB, the page in a cache, and whose they are in localStorage,
   where every page looks (carnet.js). All of it goes together. */

const NAME = "card", TABLE = "kept", PAGES = "card-page", MARK = "card-holder";

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(TABLE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

async function run(mode, work) {
  const database = await open();
  try {
    return await new Promise((resolve, reject) => {
      const transaction = database.transaction(TABLE, mode);
      const request = work(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onerror = transaction.onabort = () => reject(transaction.error);
    });
  } finally {
    database.close();
  }
}

export const read = (key) => run("readonly", (table) => table.get(key));
export const keep = (key, value) => run("readwrite", (table) => table.put(value, key));

/* The page that the service worker shows without signal, fetched anew */
export async function keepPage(address) {
  const response = await fetch(address, { cache: "no-store", redirect: "error" });
  if (response.ok) await (await caches.open(PAGES)).put(address, response);
}

export function claim(holder) {
  localStorage.setItem(MARK, holder);
}

export async function forget() {
  await Promise.all([
    caches.delete(PAGES),
    new Promise((resolve) => {
      const request = indexedDB.deleteDatabase(NAME);
      request.onsuccess = request.onerror = request.onblocked = resolve;
    }),
  ]);
  localStorage.removeItem(MARK);
}
