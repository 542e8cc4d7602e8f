// All tasks of a job as one picture: a pixel each, coloured by its state.

import { showTimes } from "./live.js";
import { redraw } from "./parts.js";

const NAMES = {
  p: "pending", q: "queued", r: "running", d: "done", f: "failed", s: "set aside", l: "left out",
};
const VARIABLES = {
  p: "--line", q: "--quiet", r: "--running", d: "--done", f: "--failed", s: "--aside", l: "--text",
};

/** Draw the tasks of a job, and say what is under the pointer. */
export class TaskMap {
  constructor(canvas, words, job, panel) {
    this.canvas = canvas;
    this.panel = panel;
    this.words = words;
    this.job = job;
    this.codes = "";
    this.next = 0;
    canvas.addEventListener("mousemove", (event) => this.tell(this.at(event)));
    canvas.addEventListener("click", (event) => this.open(this.at(event)));
  }

  /** Look again, at most every two seconds. */
  refresh() {
    if (!this.next) this.next = setTimeout(() => { this.next = 0; this.load(); }, this.codes ? 2000 : 0);
  }

  async load() {
    const answer = await fetch(`/v1/jobs/${this.job}/tasks/bitmap`).catch(() => null);
    if (!answer?.ok) return;
    this.codes = await answer.text();
    this.draw();
  }

  draw() {
    const count = this.codes.length;
    const width = Math.max(Math.ceil(Math.sqrt(count * 4)), 1);
    const height = Math.max(Math.ceil(count / width), 1);
    this.canvas.width = width;
    this.canvas.height = height;
    const style = getComputedStyle(this.canvas);
    const ink = Object.fromEntries(Object.entries(VARIABLES).map(([code, name]) => [
      code, colour(style, name),
    ]));
    const context = this.canvas.getContext("2d");
    const image = context.createImageData(width, height);
    for (let at = 0; at < count; at += 1) image.data.set(ink[this.codes[at]] ?? ink.p, 4 * at);
    context.putImageData(image, 0, 0);
    this.canvas.setAttribute("aria-label", `${count.toLocaleString("en")} tasks, a pixel each`);
  }

  at(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - left) / width) * this.canvas.width);
    const y = Math.floor(((event.clientY - top) / height) * this.canvas.height);
    const index = y * this.canvas.width + x;
    return index >= 0 && index < this.codes.length ? index : null;
  }

  tell(index) {
    if (index !== null) this.words.textContent = `task ${index}: ${NAMES[this.codes[index]]}`;
  }

  /** Show a task: its state, its attempts, what can be done with it. */
  async open(index) {
    if (index !== null) await this.panel.show(index);
  }
}

/** The task that somebody looks at, drawn by the server; the address says which. */
export class TaskPanel {
  constructor(place, job) {
    this.holder = place.querySelector("[data-part=task]");
    this.form = place.querySelector("[data-find-task]");
    this.job = job;
    this.index = new URLSearchParams(location.search).get("task");
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.show(this.form.elements.task.value);
    });
    place.addEventListener("click", (event) => {
      const link = event.target.closest("a[data-show-task]");
      if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.show(link.dataset.showTask).then(() => this.holder.scrollIntoView({ block: "nearest" }));
    });
  }

  async show(index) {
    this.index = String(index);
    this.form.elements.task.value = index;
    const address = new URL(location);
    address.searchParams.set("task", index);
    history.replaceState(history.state, "", address);
    await this.refresh();
  }

  async refresh() {
    if (this.index === null) return;
    await redraw(this.holder, this.job, `?task=${encodeURIComponent(this.index)}`);
    showTimes();
  }
}

/** Return a colour of the page as [red, green, blue, alpha]. */
function colour(style, name) {
  const pen = document.createElement("canvas").getContext("2d");
  const probe = document.createElement("span");
  probe.style.setProperty("color", `var(${name})`);
  document.body.append(probe);
  pen.fillStyle = getComputedStyle(probe).color;
  probe.remove();
  pen.fillRect(0, 0, 1, 1);
  return pen.getImageData(0, 0, 1, 1).data;
}
