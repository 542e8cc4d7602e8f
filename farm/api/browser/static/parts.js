// Parts of a page that the server draws again: the same words with and without scripts.

const before = new WeakMap();
const holders = [...document.querySelectorAll("[data-part]")];
const loaded = new Map(holders.map((each) => [each, each.innerHTML.trim()]));

/** Ask the server for a part, and put it in the place of what is there; what was open stays open. */
export async function redraw(holder, job, query = "") {
  const name = holder.dataset.part;
  const answer = await fetch(`/jobs/${job}/parts/${name}${query}`).catch(() => null);
  if (answer?.redirected || answer?.status === 401) location.reload();
  if (!answer?.ok) return false;
  const text = await answer.text();
  if (before.get(holder) === text) return true;
  const drawn = new DOMParser().parseFromString(text, "text/html").body;
  const isAsLoaded = !before.has(holder) && drawn.innerHTML.trim() === loaded.get(holder);
  before.set(holder, text);
  if (isAsLoaded) return true; // whoever presses a button just now finds it where it was
  const open = new Set([...holder.querySelectorAll("details[open]")].map((each) => each.dataset.key));
  const focused = placeOf(document.activeElement, holder);
  holder.replaceChildren(...drawn.childNodes);
  for (const each of holder.querySelectorAll("details")) each.open = open.has(each.dataset.key);
  refocus(holder, focused);
  return true;
}

/** Return what does `work` at once, and then at most every so often, the last time included. */
export function calmly(work, everyMs = 2000) {
  let next = 0;
  let last = 0;
  return () => {
    if (next) return;
    next = setTimeout(() => {
      next = 0;
      last = Date.now();
      work();
    }, Math.max(last + everyMs - Date.now(), 0));
  };
}

/** Return how to find a control again after its part is drawn anew. */
function placeOf(element, holder) {
  if (!holder.contains(element) || element === holder) return null;
  const key = element.closest("details")?.dataset.key ?? "";
  return { key, name: element.getAttribute("aria-label") || element.textContent.trim() };
}

function refocus(holder, focused) {
  if (!focused) return;
  const inside = [...holder.querySelectorAll("details")].find((each) => each.dataset.key === focused.key);
  const found = [...(inside ?? holder).querySelectorAll("a, button, summary, input")].find(
    (each) => (each.getAttribute("aria-label") || each.textContent.trim()) === focused.name);
  (found ?? inside?.querySelector("summary"))?.focus();
}
