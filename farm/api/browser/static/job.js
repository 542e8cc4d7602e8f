import { Coverage } from "./coverage.js";
import { Gallery } from "./gallery.js";
import { TaskMap } from "./tasks.js";
import { drawBar, duration, listen, percent, say, showTimes } from "./live.js";

const place = document.querySelector("[data-job]");
const state = document.querySelector("[data-state]");
const first = buttonsOf(state.textContent);

/** Return which buttons go with a state: those are made on the server. */
function buttonsOf(name) {
  return ["queued", "running"].includes(name) ? "open" : name;
}

function sentence(job) {
  const word = job.finishing ? "being finished" : job.state === "completed" ? "complete" : job.state;
  const parts = [word, `${job.views_done.toLocaleString("en")} of ${job.views.toLocaleString("en")} views`];
  if (job.state !== "completed") parts[1] += ` (${percent(job)} %)`;
  if (job.eta_s !== null) parts.push(`about ${duration(job.eta_s)} left`);
  const failed = (job.counts.failed ?? 0) + (job.counts["set aside"] ?? 0);
  if (failed) parts.push(`${failed.toLocaleString("en")} task${failed === 1 ? "" : "s"} failed`);
  if (job.waits_for) parts.push(`waits: ${job.waits_for}`);
  const text = parts.join(", ");
  return `${text[0].toUpperCase()}${text.slice(1)}.`;
}

let shown = 0;
let views = -1;

/** Show the newest pictures, those that came since at the front. */
async function strip() {
  const answer = await fetch(`/v1/jobs/${place.dataset.job}/newest`).catch(() => null);
  if (!answer?.ok) return;
  const holder = place.querySelector("[data-strip]");
  if (holder.matches(":hover") || holder.contains(document.activeElement) && holder.scrollLeft > 0) return;
  for (const each of (await answer.json()).reverse()) {
    if (each.number <= shown) continue;
    shown = each.number;
    holder.querySelector("[data-none]")?.remove();
    const figure = document.createElement("figure");
    const image = document.createElement("img");
    image.src = `/v1/jobs/${place.dataset.job}/newest/${each.number}`;
    image.alt = `${each.title}, ${each.caption}`;
    const words = document.createElement("figcaption");
    words.textContent = each.title;
    figure.append(image, words);
    holder.prepend(figure);
  }
  while (holder.children.length > 24) holder.lastElementChild.remove();
}

let failed = -1;

/** Show what went wrong, what is alike together. */
async function troubles() {
  const answer = await fetch(`/v1/jobs/${place.dataset.job}/tasks/troubles`).catch(() => null);
  if (!answer?.ok) return;
  const groups = await answer.json();
  const holder = place.querySelector("[data-trouble]");
  if (!groups.length) return;
  holder.replaceChildren(...groups.map((each) => {
    const part = document.createElement("details");
    const head = document.createElement("summary");
    const tasks = `${each.tasks.toLocaleString("en")} task${each.tasks === 1 ? "" : "s"}`;
    head.textContent = `${each.cause}, ${tasks}, ${
      each.given_up ? `${each.given_up.toLocaleString("en")} given up` : "tried again"}: ${each.sentence}`;
    const list = document.createElement("ul");
    list.append(...each.indices.map((index) => {
      const line = document.createElement("li");
      const link = document.createElement("a");
      link.href = `/v1/jobs/${place.dataset.job}/tasks/${index}/log`;
      link.textContent = `log of task ${index}`;
      line.append(link);
      return line;
    }));
    const on = document.createElement("p");
    on.className = "quiet";
    on.textContent = `${each.titles.join(", ")}; on ${each.workers.join(", ")}`;
    part.append(head, on, list);
    return part;
  }));
}

function onJob(job) {
  if (job.views_done !== views) {
    views = job.views_done;
    strip();
    if (views) coverage.refresh();
  }
  const told = sentence(job);
  say(place.querySelector("[data-sentence]"), told);
  say(state, job.state);
  state.className = `chip ${job.state}`;
  drawBar(place.querySelector("[data-bar]"), job, told);
  for (const term of place.querySelectorAll("[data-counts] dt")) {
    say(term.nextElementSibling, (job.counts[term.textContent] ?? 0).toLocaleString("en"));
  }
  const said = job.state === "running" || job.state === "queued" ? "" : `${job.state} · `;
  document.title = `${said}${percent(job)} % ${job.name}`;
  gallery.refresh();
  tasks.refresh();
  const bad = (job.counts.failed ?? 0) + (job.counts["set aside"] ?? 0);
  if (bad !== failed) {
    failed = bad;
    troubles();
  }
  notice(job);
  if (buttonsOf(job.state) !== first) location.reload();
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
  if (!["completed", "failed", "cancelled"].includes(job.state) || !wantsNotice()) return;
  sessionStorage.removeItem(`notify ${place.dataset.job}`);
  new Notification(job.name, { body: sentence(job), tag: job.job_id });
}

showTimes();
offerNotice();
const tasks = new TaskMap(
  place.querySelector("canvas"), place.querySelector("[data-task]"), place.dataset.job,
);
const coverage = new Coverage(place.querySelector("[data-coverage]"), place.dataset.job);
const gallery = new Gallery(document.querySelector("[data-gallery]"), place.dataset.job);
listen(onJob, place.dataset.job);
