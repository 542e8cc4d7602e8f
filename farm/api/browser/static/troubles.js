// What went wrong in a job, what is alike together; and logs, as text.

import { redraw } from "./parts.js";

/** Groups of tasks that failed alike: drawn by the server, drawn again when something failed. */
export class Troubles {
  constructor(holder, job) {
    this.holder = holder;
    this.job = job;
    holder.addEventListener("error", (event) => {
      if (event.target.matches("img")) event.target.hidden = true;
    }, true);
  }

  refresh() {
    return redraw(this.holder, this.job);
  }
}

/** Show logs in the page: links of `data-log` below `place` open the dialog, Esc closes it. */
export function showLogs(place) {
  const dialog = document.querySelector("[data-log-dialog]");
  const text = dialog.querySelector("[data-log-text]");
  dialog.querySelector("[data-log-close]").addEventListener("click", () => dialog.close());
  place.addEventListener("click", async (event) => {
    const link = event.target.closest("a[data-log]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    dialog.querySelector("[data-log-title]").textContent = link.textContent;
    text.textContent = "…";
    dialog.showModal();
    text.textContent = await read(link.href);
    text.scrollTop = text.scrollHeight;
  });
}

async function read(address) {
  const answer = await fetch(address).catch(() => null);
  if (!answer) return "The farm does not answer.";
  if (answer.ok) return answer.text();
  const problem = await answer.json().catch(() => ({}));
  return `${problem.detail ?? answer.status}\n${problem.remedy ?? ""}`;
}
