// The views of a job: a grid that grows as it is scrolled; a sequence is one card.

import { pictureOf, recalled, viewNamed, views } from "./address.js";
import { Filters } from "./filters.js";
import { Viewer } from "./viewer.js";

const AT_ONCE = 60;
const MOST_VAIN = 60; // answers without a view, after which nobody asks any further
const AGAIN_MS = 2000;
const WHOLE = 500; // with fewer views it is looked through from the start when there are more

/** Show the views of a job in `place`; the address keeps what is looked for, and which view. */
export class Gallery {
  constructor(place, job) {
    this.place = place;
    this.job = job;
    this.grid = place.querySelector("[data-grid]");
    this.status = place.querySelector("[data-status]");
    this.end = place.querySelector("[data-end]");
    this.waiting = 0;
    this.round = 0;
    this.filters = new Filters(place.querySelector("form"), () => this.search());
    this.viewer = new Viewer(place.querySelector("dialog"), this);
    this.grid.addEventListener("keydown", (event) => this.move(event));
    const near = { rootMargin: "600px" };
    new IntersectionObserver((seen) => seen[0].isIntersecting && this.more(), near).observe(this.end);
    this.search();
    if (recalled("view")) this.show({ view: recalled("view") });
  }

  search() {
    this.round += 1; // answers to what was looked for before are dropped
    this.cards = [];
    this.keys = new Set();
    this.cursor = null;
    this.ended = false;
    this.failed = false;
    this.loading = false;
    this.vain = 0;
    this.grid.replaceChildren();
    this.more();
  }

  /** Look again whether there are more views than before, every few seconds at most. */
  refresh() {
    if (!(this.ended || this.failed) || this.waiting) return;
    this.waiting = setTimeout(() => {
      this.waiting = 0;
      if (this.ended) this.cursor = this.cards.length < WHOLE ? null : this.cards.at(-1).cursor;
      this.ended = false;
      this.more();
    }, AGAIN_MS);
  }

  async more() {
    if (this.loading || this.ended) return;
    this.loading = true;
    this.failed = false;
    const { round } = this;
    try {
      const once = this.filters.chosen.sequence ? "" : "true";
      const page = await views(this.job, {
        ...this.filters.chosen, once, limit: AT_ONCE, cursor: this.cursor,
      });
      if (round !== this.round) return;
      this.take(page);
    } catch (error) {
      if (round === this.round) this.fail(error);
      return;
    }
    this.loading = false;
    const isShort = this.cards.length < AT_ONCE; // the farm was slow, and told what it had by then
    const wants = isShort || this.end.getBoundingClientRect().top < innerHeight + 600;
    if (!this.ended && wants && this.vain < MOST_VAIN) this.more();
  }

  take(page) {
    const before = this.cards.length;
    for (const card of page.items) this.add(card);
    this.vain = this.cards.length === before ? this.vain + 1 : 0;
    this.cursor = page.next;
    this.ended = page.next === null;
    this.status.textContent = this.words();
  }

  fail(error) {
    this.loading = false;
    this.failed = true;
    this.status.textContent = error instanceof TypeError ? "The farm does not answer." : error.message;
  }

  words() {
    const count = this.cards.length.toLocaleString("en");
    if (this.cards.length) {
      const frames = this.cards.some((card) => card.moment) && !this.filters.chosen.sequence;
      const things = frames ? "views and sequences" : this.cards.length > 1 ? "views" : "view";
      return `${count} ${things} shown${this.ended ? "" : ", more below"}`;
    }
    if (!this.ended) return this.vain < MOST_VAIN ? "Looking …" : "Nothing found so far; scroll to look further.";
    return this.filters.isAny ? "No view fits." : "No view is finished yet.";
  }

  add(card) {
    const sequence = this.filters.chosen.sequence ? null : card.moment?.sequence;
    const key = sequence ? `${card.dataset}/${sequence}` : `${card.dataset}:${card.name}`;
    if (this.keys.has(key)) return;
    this.keys.add(key);
    const at = this.cards.push(card) - 1;
    const figure = document.createElement("figure");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "picture";
    button.dataset.at = at;
    const image = document.createElement("img");
    image.loading = "lazy";
    image.alt = sequence ? `Sequence ${sequence}, ${card.moment.of} frames` : `${card.title}, ${card.caption}`;
    const [first] = Object.keys(card.pictures);
    if (first) image.src = pictureOf(this.job, card, first, 256);
    button.append(image);
    if (sequence) button.append(badge(`▶ ${card.moment.of.toLocaleString("en")} frames`));
    if (card.flags.length) figure.classList.add("flagged");
    button.addEventListener("click", () => this.viewer.open(at));
    const words = document.createElement("figcaption");
    words.textContent = sequence ?? card.title;
    figure.append(button, words);
    this.grid.append(figure);
  }

  /** Open a view by its name, wherever it is; `task_id` says where to look first. */
  async show({ view, task_id: task = "", dataset = "" }) {
    const at = this.cards.findIndex((card) => card.name === view);
    if (at >= 0) {
      this.viewer.open(at);
      return;
    }
    const card = await viewNamed(this.job, view, task ? { task, dataset } : {}).catch(() => null);
    if (card) this.viewer.openAlone(card);
    else this.status.textContent = `There is no view ${view} in this job's datasets.`;
  }

  move(event) {
    const at = Number(event.target.dataset?.at);
    if (Number.isNaN(at)) return;
    const columns = getComputedStyle(this.grid).gridTemplateColumns.split(" ").length;
    const steps = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns };
    const next = this.grid.querySelector(`[data-at="${at + (steps[event.key] ?? 0)}"]`);
    if (event.key in steps && next) {
      event.preventDefault();
      next.focus();
    }
  }
}

function badge(words) {
  const made = document.createElement("span");
  made.className = "badge";
  made.textContent = words;
  return made;
}
