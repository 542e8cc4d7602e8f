// Parts of a page kept as the server has them: it alone makes them, this exchanges what has changed.

/** Ask for an address every so often, keep the parts with `data-live` as they are there, and tell
 * whether there was an answer. */
export function follow(address, everyMs, onAnswer = () => {}) {
  let asking = false;
  setInterval(async () => {
    if (asking || document.hidden) return;
    asking = true;
    onAnswer(await refresh(address));
    asking = false;
  }, everyMs);
}

async function refresh(address) {
  const answer = await fetch(address, { headers: { accept: "text/html" } }).catch(() => null);
  if (answer?.redirected) location.reload(); // the token is over: a reload leads to where one logs in
  if (!answer?.ok || answer.redirected) return false;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of document.querySelectorAll("[data-live]")) {
    const now = fresh.querySelector(`[data-live="${CSS.escape(part.dataset.live)}"]`);
    if (now) become(part, now);
  }
  return true;
}

/** Make a node equal to another one, and leave alone what is: focus and pictures stay. */
export function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeName !== fresh.nodeName || keyOf(old) !== keyOf(fresh)) {
    old.replaceWith(document.importNode(fresh, true));
  } else if (old.nodeType === Node.ELEMENT_NODE) {
    attributes(old, fresh);
    children(old, fresh);
  } else {
    old.data = fresh.data;
  }
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

function children(old, fresh) {
  const wanted = new Set([...fresh.children].map(keyOf).filter(Boolean));
  for (const each of [...old.children]) if (keyOf(each) && !wanted.has(keyOf(each))) each.remove();
  const known = new Map([...old.children].filter(keyOf).map((each) => [keyOf(each), each]));
  [...fresh.childNodes].forEach((each, at) => place(old, at, each, known.get(keyOf(each))));
  while (old.childNodes.length > fresh.childNodes.length) old.lastChild.remove();
}

/** Make the child at a place equal to `wanted`: the one of its key, or whichever is there. */
function place(old, at, wanted, mine) {
  while (mine && old.childNodes[at] !== mine && !keyOf(old.childNodes[at])) old.childNodes[at].remove();
  const there = old.childNodes[at];
  if (mine) {
    if (there !== mine) old.insertBefore(mine, there); // what is moved loses the focus
    become(mine, wanted);
  } else if (there && !keyOf(there) && !keyOf(wanted)) {
    become(there, wanted);
  } else {
    old.insertBefore(document.importNode(wanted, true), there ?? null);
  }
}

function keyOf(node) {
  return node?.dataset?.key;
}
