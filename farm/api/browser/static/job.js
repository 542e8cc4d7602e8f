import { Coverage } from "./coverage.js";
import { Gallery } from "./gallery.js";
import { drawBar, listen, say, showTab, showTimes } from "./live.js";
import { Numbers } from "./numbers.js";
import { calmly, redraw } from "./parts.js";
import { steering } from "./steer.js";
import { Strip } from "./strip.js";
import { TaskMap, TaskPanel } from "./tasks.js";
import { showLogs, Troubles } from "./troubles.js";

const place = document.querySelector("[data-job]");
const state = document.querySelector("[data-state]");
const SETTLED_MS = 6000; // the server groups troubles every five seconds
const actions = place.querySelector("[data-part=actions]");
let views = -1;
let known = "";
let wrong = "";

function onJob(job) {
  if (job.views_done !== views) {
    views = job.views_done;
    strip.refresh();
    coverage.refresh(views);
  }
  say(place.querySelector("[data-sentence]"), job.sentence);
  say(state, job.state);
  state.className = `chip ${job.state}`;
  drawBar(place.querySelector("[data-bar]"), job, job.sentence);
  for (const term of place.querySelectorAll("[data-counts] dt")) {
    say(term.nextElementSibling, (job.counts[term.textContent] ?? 0).toLocaleString("en"));
  }
  showTab(job.title, job.tone);
  gallery.refresh();
  tasks.refresh();
  const counts = [job.counts.failed, job.counts["set aside"], job.counts["left out"]];
  if (changed(wrong, wrong = JSON.stringify([job.failures, counts, job.state]))) {
    showTroubles();
    setTimeout(showTroubles, SETTLED_MS);
  }
  const buttons = JSON.stringify([job.state, job.priority, counts.map(Boolean)]);
  if (changed(known, known = buttons)) redraw(actions, place.dataset.job);
  showTask();
  numbers.refresh();
  notice(job);
}

function changed(before, now) {
  return before !== now;
}

/** Look again at all that a button may have changed. */
function afterSteering() {
  redraw(actions, place.dataset.job);
  troubles.refresh();
  panel.refresh();
  tasks.refresh();
}

/** Offer a notification when the job ends, where the browser has any. */
function offerNotice() {
  const button = place.querySelector("[data-notify]");
  if (!("Notification" in window) || place.dataset.over || !isSecureContext) return;
  button.hidden = Notification.permission === "denied";
  button.setAttribute("aria-pressed", wantsNotice());
  button.addEventListener("click", async () => {
    const wanted = !wantsNotice() && await Notification.requestPermission() === "granted";
    sessionStorage.setItem(`notify ${place.dataset.job}`, wanted ? "yes" : "");
    button.setAttribute("aria-pressed", wanted);
  });
}

function wantsNotice() {
  return Boolean(sessionStorage.getItem(`notify ${place.dataset.job}`));
}

function notice(job) {
  const isOver = ["completed", "failed", "cancelled"].includes(job.state);
  if (isOver) place.querySelector("[data-notify]").hidden = true;
  if (!isOver || !wantsNotice()) return;
  sessionStorage.removeItem(`notify ${place.dataset.job}`);
  new Notification(job.name, { body: job.sentence, tag: job.job_id });
}

showTimes();
offerNotice();
const strip = new Strip(
  place.querySelector("[data-strip]"), place.dataset.job, (glimpse) => gallery.show(glimpse),
);
const troubles = new Troubles(place.querySelector("[data-part=trouble]"), place.dataset.job);
const numbers = new Numbers(place, place.dataset.job);
const panel = new TaskPanel(place, place.dataset.job);
const tasks = new TaskMap(
  place.querySelector("canvas"), place.querySelector("[data-task]"), place.dataset.job, panel,
);
const showTroubles = calmly(() => troubles.refresh());
const showTask = calmly(() => panel.refresh());
steering(place, afterSteering);
showLogs(place);
const gallery = new Gallery(document.querySelector("[data-gallery]"), place.dataset.job);
const coverage = new Coverage(
  place.querySelector("[data-coverage]"), place.dataset.job, gallery.filters,
);
listen(onJob, place.dataset.job, (pictures) => strip.hear(pictures));
