// Where pictures are, and what the page's own address keeps.

const NUMBERS = ["index", "material"]; // files of numbers that end as pictures do

/** Return where a small picture of a file is; of a pass, where the file is not a picture itself. */
export function address(job, file, size, pass = "") {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  const isPainted = file.path.endsWith(".exr") || NUMBERS.includes(pass);
  return `/v1/datasets/${job}/thumbnails/${file.sha256}/${path}?size=${size}${isPainted ? `&pass=${pass}` : ""}`;
}

/** Return where the picture of a card's pass is. */
export function pictureOf(job, card, pass, size) {
  return address(job, card.pictures[pass], size, pass);
}

/** Return what the page's address says under a name. */
export function recalled(name) {
  return new URL(location).searchParams.get(name) ?? "";
}

/** Keep words in the page's address; empty ones go. */
export function remember(words) {
  const url = new URL(location);
  for (const [name, value] of Object.entries(words)) {
    if (value) url.searchParams.set(name, value);
    else url.searchParams.delete(name);
  }
  history.replaceState(null, "", url);
}

/** Return a page of a job's views; throw what the server says where it gives none. */
export async function views(job, asked) {
  const given = Object.entries(asked).filter(([, value]) => value !== "" && value != null);
  const answer = await fetch(`/v1/datasets/${job}/gallery?${new URLSearchParams(given)}`);
  const told = await answer.json();
  if (!answer.ok) throw new Error(told.detail);
  return told;
}

/** Return the view of a name, looked for until there are no more; null where there is none. */
export async function viewNamed(job, name, known = {}) {
  let asked = { view: name, limit: 1, ...known };
  for (;;) {
    const page = await views(job, asked);
    if (page.items.length) return page.items[0];
    if (page.next === null && !asked.task) return null;
    const cursor = asked.task ? null : page.next; // its task may have been folded: from the start
    asked = { view: name, limit: 1, cursor };
  }
}
