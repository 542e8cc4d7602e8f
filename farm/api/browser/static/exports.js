// The export of a dataset: how far it is, until it can be downloaded.

import { say } from "./live.js";

const AGAIN_MS = 1000;

export class ExportWatch {
  constructor(place, job) {
    this.place = place;
    this.job = job;
    this.id = place.dataset.export;
  }

  /** Ask until the export is over. */
  async watch() {
    while (this.id) {
      const answer = await fetch(`/v1/datasets/${this.job}/exports/${this.id}`).catch(() => null);
      if (answer?.status === 404) return;
      if (answer?.ok) {
        const told = await answer.json();
        this.show(told);
        if (!["waiting", "running"].includes(told.state)) return;
      }
      await new Promise((done) => setTimeout(done, AGAIN_MS));
    }
  }

  show(told) {
    say(this.place.querySelector("[data-export-sentence]"), told.sentence);
    const bar = this.place.querySelector("[data-export-bar]");
    bar.max = Math.max(told.views, 1);
    bar.value = told.views_done;
    bar.hidden = !["waiting", "running"].includes(told.state);
    this.place.querySelector("[data-export-notes]").replaceChildren(...told.notes.map((note) => {
      const line = document.createElement("li");
      line.textContent = note;
      return line;
    }));
    const link = this.place.querySelector("[data-export-link]");
    link.hidden = told.state !== "done";
    if (told.state === "done") link.href = `/v1/datasets/${this.job}/exports/${this.id}/archive`;
    const button = this.place.querySelector("[data-export-remove]");
    say(button, ["waiting", "running"].includes(told.state) ? "Stop" : "Remove");
  }
}
