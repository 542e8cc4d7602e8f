import { drawBar, duration, listen, percent, say, showTimes } from "./live.js";

let reload = 0;

function onJob(job) {
  const row = document.querySelector(`tr[data-job="${CSS.escape(job.job_id)}"]`);
  if (!row) {
    // A job that this list may have to show: the list is made on the server.
    if (!location.search && !reload) reload = setTimeout(() => location.reload(), 1500);
    return;
  }
  const chip = row.querySelector("[data-state]");
  say(chip, job.state);
  chip.className = `chip ${job.state}`;
  say(row.querySelector("[data-done]"), job.views_done.toLocaleString("en"));
  say(row.querySelector("[data-eta]"), job.eta_s === null ? "" : duration(job.eta_s));
  drawBar(row, job, `${job.state}, ${percent(job)} %`);
}

showTimes();
listen(onJob);
