// Words for models: confirmed one after the other, without a new page for each.

import { dropMissing } from "./assets.js";

const csrf = document.body.dataset.csrf;
const cards = [...document.querySelectorAll("[data-words]")];

function entryOf(form) {
  const said = { confirmed: true };
  for (const name of ["noun", "plural", "article", "synonyms", "hypernym", "material"]) {
    const text = form.elements[name].value.trim();
    if (text) said[name] = text;
  }
  const size = ["size_least", "size_most"].map((name) => form.elements[name].value.trim());
  if (size.some(Boolean)) said.size_m = size;
  for (const name of ["symmetric", "stands"]) if (form.elements[name].checked) said[name] = true;
  return said;
}

async function save(card, form) {
  const fault = form.querySelector("[data-fault]");
  fault.hidden = true;
  const entries = [{ sha256: card.dataset.words, words: entryOf(form) }];
  const answer = await fetch("/v1/assets/words", {
    method: "PUT",
    headers: { "Content-Type": "application/json", "Farm-Csrf": csrf },
    body: JSON.stringify({ entries }),
  }).catch(() => null);
  const told = await answer?.json().catch(() => null);
  if (!answer?.ok) {
    fault.textContent = told ? told.detail : "The farm does not answer; press again.";
    fault.hidden = false;
    return;
  }
  card.className = "panel confirmed";
  form.querySelector("[data-why]").textContent = told[0].why;
  form.elements.plural.placeholder = told[0].words.plural || form.elements.plural.placeholder;
  const button = form.querySelector("[data-confirm]");
  button.textContent = "Save";
  button.classList.remove("main");
  count();
  const next = cards.slice(cards.indexOf(card) + 1).find((each) => !isConfirmed(each));
  const field = next?.querySelector("input[name=noun]");
  field?.focus();
  field?.select();
}

function isConfirmed(card) {
  return card.classList.contains("confirmed");
}

function count() {
  const place = document.querySelector("[data-count]");
  const done = cards.filter(isConfirmed).length;
  if (place) place.textContent = `${done} of ${cards.length} on this page are confirmed. Enter confirms one and goes to the next.`;
}

dropMissing();
count();
for (const card of cards) {
  const form = card.querySelector("form");
  if (!form.querySelector("[data-confirm]")) continue;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    save(card, form);
  });
}
