/* What the device keeps between two openings of the page (IndexedDB): what it knows of its desks, and the scans the
   server does not have yet. Every function rejects with a DOMException where the browser cannot keep it. */

const KEYS = { desks: "desk", scans: "nonce" };   // store: the key of what lies in it

let opened = null;

function open() {
  opened ??= new Promise((done, fail) => {
    const request = indexedDB.open("carnet-scanner", 1);
    request.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(KEYS)) request.result.createObjectStore(name, { keyPath });
    };
    request.onsuccess = () => {
      request.result.onversionchange = () => { request.result.close(); opened = null; };
      done(request.result);
    };
    request.onerror = () => { opened = null; fail(request.error); };
  });
  return opened;
}

/* runs `use(objectStore)` in one transaction; its result once that is committed, on disk where the browser can say so */
async function inside(name, mode, use) {
  const database = await open();
  return new Promise((done, fail) => {
    const transaction = database.transaction(name, mode, mode === "readwrite" ? { durability: "strict" } : {});
    const request = use(transaction.objectStore(name));
    transaction.oncomplete = () => done(request.result);
    transaction.onabort = transaction.onerror = () => fail(transaction.error ?? request.error);
  });
}

export const keep = (name, value) => inside(name, "readwrite", (store) => store.put(value));
export const drop = (name, key) => inside(name, "readwrite", (store) => store.delete(key));
export const find = (name, key) => inside(name, "readonly", (store) => store.get(key));
export const all = (name) => inside(name, "readonly", (store) => store.getAll());
