import { Gallery } from "./gallery.js";
import { drawBar, duration, listen, percent, say, showTimes } from "./live.js";

const place = document.querySelector("[data-job]");
const state = document.querySelector("[data-state]");
const first = state.textContent;

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

function onJob(job) {
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
  if (job.state !== first) location.reload(); // other buttons
}

showTimes();
const gallery = new Gallery(document.querySelector("[data-gallery]"), place.dataset.job);
listen(onJob, place.dataset.job);
