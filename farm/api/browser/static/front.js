import { drawBar, duration, listen, say, showTab, showTimes } from "./live.js";

// The list of jobs: numbers are written into its rows; where another list is due (a new job, another
// state), it is made on the server and put in the place of this one, without a reload.

const AT_MOST_EVERY_MS = 3000;
const PICTURE_EVERY_MS = 4000;
const OVER = ["completed", "cancelled", "failed"];
let due = 0;
let made = Date.now();
const shown = new Map();

function onJob(job) {
  const row = document.querySelector(`tr[data-job="${CSS.escape(job.job_id)}"]`);
  if (!row) {
    if (!known.has(job.job_id)) renew();
    known.add(job.job_id);
    return;
  }
  if (row.dataset.now !== job.state) {
    row.dataset.now = job.state;
    renew();
  }
  const chip = row.querySelector("[data-state]");
  say(chip, job.state);
  chip.className = `chip ${job.state}`;
  say(row.querySelector("[data-done]"), job.views_done.toLocaleString("en"));
  say(row.querySelector("[data-rate]"), job.views_per_s ? String(Number(job.views_per_s.toPrecision(3))) : "");
  say(row.querySelector("[data-eta]"), job.eta_s === null ? "" : duration(job.eta_s));
  drawBar(row, job, job.sentence);
  showPicture(row, job);
}

const known = new Set();

/** Show a job's last picture, one every few seconds at most. */
function showPicture(row, job) {
  const before = shown.get(job.job_id) ?? { views: -1, time: 0 };
  const ended = OVER.includes(job.state);
  if (!job.views_done || job.views_done === before.views) return;
  if (before.views >= 0 && !ended && Date.now() - before.time < PICTURE_EVERY_MS) return;
  shown.set(job.job_id, { views: job.views_done, time: Date.now() });
  const image = row.querySelector(".last img");
  const place = `/v1/jobs/${job.job_id}/picture?v=${job.views_done}`;
  if (!image) renew();
  else if (image.getAttribute("src") !== place) image.src = place;
}

/** Have the list made anew, soon, and never again and again. */
function renew() {
  due ||= setTimeout(replace, Math.max(made + AT_MOST_EVERY_MS - Date.now(), 300));
}

async function replace() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } }).catch(() => null);
  due = 0;
  made = Date.now();
  if (answer?.redirected) location.reload(); // logged out: the page says so
  if (!answer?.ok || answer.redirected) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["[data-list]", "[data-workers]"]) {
    const [old, fresh] = [document.querySelector(part), page.querySelector(part)];
    if (!old || !fresh) continue;
    const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
    old.replaceWith(document.adoptNode(fresh));
    if (focused) document.querySelector(`${part} a[href="${CSS.escape(focused)}"]`)?.focus();
  }
  const farm = page.querySelector("[data-farm]");
  say(document.querySelector("[data-farm]"), farm.textContent);
  showTab(farm.dataset.title, farm.dataset.tone);
  showTimes();
}

// A job may have no picture (any more): nothing is shown then.
document.addEventListener("error", (event) => {
  if (event.target.matches?.(".last img")) event.target.classList.add("gone");
}, true);
document.addEventListener("load", (event) => {
  if (event.target.matches?.(".last img")) event.target.classList.remove("gone");
}, true);
for (const choice of document.querySelectorAll(".filter select")) {
  choice.addEventListener("change", () => choice.form.requestSubmit());
}
// What does not change with the news of jobs, such as the sentence, once in a while all the same.
setInterval(() => document.visibilityState === "visible" && renew(), 30_000);
showTimes();
listen(onJob);
