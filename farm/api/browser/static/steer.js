// Buttons that steer a job: their forms are sent without leaving the page, and the answer is told.

import { say } from "./live.js";

const MOST_ROUNDS = 1000;

/** Send each form of `data-steer` by a request of its own; call `after` when something changed. */
export function steering(place, after) {
  const told = place.querySelector("[data-told]");
  place.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-steer]");
    if (!form) return;
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    for (const button of buttons) button.disabled = true;
    const answer = await send(form, (sentence) => tell(told, sentence, false));
    for (const button of buttons) button.disabled = false;
    tell(told, answer.sentence, !answer.done);
    if (answer.done) after();
  });
}

/** Send a form; where there is more than one answer takes, again from there. */
async function send(form, progress) {
  const fields = new URLSearchParams(new FormData(form));
  let count = 0;
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const answer = await post(form.action, fields);
    if (!answer) return { done: false, sentence: "The farm does not answer; nothing was changed." };
    if (answer.status === 401) location.reload();
    const said = await answer.json().catch(() => ({}));
    if (!answer.ok) return { done: false, sentence: `${said.detail ?? answer.status}${said.remedy ? `; what helps: ${said.remedy}` : ""}` };
    count += said.tasks ?? 0;
    if (said.next === null || said.next === undefined) return { done: true, sentence: round ? `${count.toLocaleString("en")} tasks: done` : said.sentence };
    fields.set("cursor", said.next);
    progress(`${count.toLocaleString("en")} tasks so far …`);
  }
  return { done: true, sentence: `${count.toLocaleString("en")} tasks: there are more, press again` };
}

function post(action, fields) {
  const headers = { accept: "application/json" };
  return fetch(action, { method: "POST", body: fields, headers }).catch(() => null);
}

function tell(told, sentence, isFault) {
  told.hidden = !sentence;
  told.classList.toggle("fault", isFault);
  say(told, sentence ? `${sentence[0].toUpperCase()}${sentence.slice(1)}` : "");
}
