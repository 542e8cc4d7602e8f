// Views of two jobs that have the same name, one laid over the other up to a line.

import { address, remember } from "./gallery.js";

const place = document.querySelector("[data-compare]");
const part = (name) => place.querySelector(`[data-${name}]`);
const { one, other } = place.dataset;
const known = { [one]: new Map(), [other]: new Map() };
const cursors = { [one]: "", [other]: "" };
let pairs = [];
let at = 0;
let pass = null;

/** Read the next views of both jobs; say whether there may be more. */
async function more() {
  for (const job of [one, other]) {
    if (cursors[job] === null) continue;
    const asked = new URLSearchParams({ limit: 200 });
    if (cursors[job]) asked.set("cursor", cursors[job]);
    const answer = await fetch(`/v1/datasets/${job}/gallery?${asked}`);
    const page = await answer.json();
    if (!answer.ok) throw new Error(page.detail);
    for (const card of page.items) known[job].set(card.name, card);
    cursors[job] = page.next;
  }
  pairs = [...known[one].keys()].filter((name) => known[other].has(name));
  return cursors[one] !== null || cursors[other] !== null;
}

function show() {
  const name = pairs[at];
  if (name === undefined) return;
  const [left, right] = [known[one].get(name), known[other].get(name)];
  const passes = Object.keys(left.pictures).filter((each) => each in right.pictures);
  if (!passes.includes(pass)) [pass] = passes;
  part("passes").replaceChildren(...passes.map((each, number) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${number + 1} ${each}`;
    button.setAttribute("aria-pressed", each === pass);
    button.addEventListener("click", () => { pass = each; show(); });
    return button;
  }));
  for (const [image, job, card] of [["over", one, left], ["under", other, right]]) {
    part(image).src = address(job, card.pictures[pass], 1024);
    part(image).alt = `${card.title}, ${card.caption}, ${pass}, of ${job}`;
  }
  part("status").textContent = `${name}: ${left.title}, ${left.caption} (${at + 1} of ${pairs.length.toLocaleString("en")})`;
  remember("view", name);
  wipe();
}

async function step(by) {
  if (at + by >= pairs.length && await more()) await more();
  if (pairs[at + by] !== undefined) at += by;
  show();
}

function wipe() {
  part("over").style.setProperty("clip-path", `inset(0 ${100 - part("line").value}% 0 0)`);
}

part("previous").addEventListener("click", () => step(-1));
part("next").addEventListener("click", () => step(1));
part("line").addEventListener("input", wipe);
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input")) return;
  if (event.key === "ArrowRight") step(1);
  else if (event.key === "ArrowLeft") step(-1);
  else part("passes").children[Number(event.key) - 1]?.click();
});

try {
  while (await more() && !pairs.length) { /* until a name is in both */ }
  const wanted = new URL(location).searchParams.get("view");
  at = Math.max(pairs.indexOf(wanted), 0);
  if (pairs.length) show();
  else part("status").textContent = "No view of one job has the name of a view of the other.";
} catch (error) {
  part("status").textContent = error.message;
}
