// The newest pictures of a job, as they arrive; the passes of the one that is looked at.

import { address } from "./address.js";

const MOST = 24;
const QUIET_MS = 2000;

/** A strip of pictures; those that came since stand at the front. */
export class Strip {
  constructor(place, job, open) {
    this.place = place;
    this.job = job;
    this.open = open;
    this.shown = 0;
    this.waiting = [];
    this.heard = -Infinity;
    this.isStill = false;
    this.holder = place.querySelector("[data-pictures]");
    this.button = place.querySelector("[data-hold]");
    this.status = place.querySelector("[data-status]");
    this.passes = place.querySelector("[data-passes]");
    this.button.hidden = false;
    this.button.addEventListener("click", () => this.hold());
    this.holder.addEventListener("keydown", (event) => this.key(event));
    this.holder.addEventListener("keyup", (event) => event.key === " " && event.preventDefault());
    this.holder.addEventListener("mouseleave", () => this.catchUp());
    this.holder.addEventListener("focusout", () => setTimeout(() => this.catchUp()));
  }

  /** Ask for the newest pictures, unless they come by themselves. */
  async refresh() {
    if (performance.now() - this.heard < QUIET_MS) return;
    const answer = await fetch(`/v1/jobs/${this.job}/newest`).catch(() => null);
    if (answer?.ok) this.take((await answer.json()).reverse());
  }

  /** Take pictures that have just come, the newest last. */
  hear(pictures) {
    this.heard = performance.now();
    this.take(pictures);
  }

  take(pictures) {
    const known = Math.max(this.shown, ...this.waiting.map((each) => each.number));
    this.waiting.push(...pictures.filter((each) => each.number > known));
    this.waiting = this.waiting.slice(-MOST);
    this.catchUp();
  }

  /** Show what waits, unless somebody looks at what is there. */
  catchUp() {
    if (!this.isHeld()) {
      for (const each of this.waiting.splice(0)) this.add(each);
      while (this.holder.children.length > MOST) this.holder.lastElementChild.remove();
      this.settle();
    }
    const count = this.waiting.length;
    this.status.textContent = count ? `${count} new ${count > 1 ? "pictures wait" : "picture waits"}` : "";
  }

  isHeld() {
    return this.isStill || this.holder.matches(":hover") || this.holder.contains(document.activeElement);
  }

  hold() {
    this.isStill = !this.isStill;
    this.button.setAttribute("aria-pressed", this.isStill);
    this.catchUp();
  }

  add(glimpse) {
    this.shown = glimpse.number;
    this.holder.querySelector("[data-none]")?.remove();
    const figure = document.createElement("figure");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "newest-picture";
    button.tabIndex = -1;
    const image = document.createElement("img");
    image.src = `/v1/jobs/${this.job}/newest/${glimpse.number}`;
    image.alt = `${glimpse.title}, ${glimpse.caption}`;
    const words = document.createElement("figcaption");
    words.textContent = glimpse.title;
    button.append(image);
    button.addEventListener("click", () => this.open(glimpse));
    for (const moment of ["mouseenter", "focus"]) {
      button.addEventListener(moment, () => this.tell(glimpse, button));
    }
    figure.append(button, words);
    this.holder.prepend(figure);
  }

  /** Let the Tab key lead to one of the pictures. */
  settle() {
    const buttons = this.buttons();
    if (buttons.length && !buttons.some((each) => each.tabIndex === 0)) buttons[0].tabIndex = 0;
  }

  buttons() {
    return [...this.holder.querySelectorAll("button")];
  }

  key(event) {
    if (event.key === " ") {
      event.preventDefault();
      this.hold();
      return;
    }
    const all = this.buttons();
    const at = all.indexOf(event.target);
    const steps = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 };
    const next = all[steps[event.key]];
    if (!next) return;
    event.preventDefault();
    for (const each of all) each.tabIndex = each === next ? 0 : -1;
    next.focus();
  }

  /** Show the passes of a view below the strip. */
  tell(glimpse, button) {
    const parts = Object.entries(glimpse.pictures).map(([name, file]) => {
      const figure = document.createElement("figure");
      const image = document.createElement("img");
      image.src = address(this.job, file, 256, name);
      image.alt = `${name} of ${glimpse.title}, ${glimpse.caption}`;
      image.addEventListener("error", () => figure.remove());
      const words = document.createElement("figcaption");
      words.textContent = name;
      figure.append(image, words);
      return figure;
    });
    const told = document.createElement("p");
    told.className = "quiet";
    told.textContent = `${glimpse.view} · ${glimpse.caption}`;
    this.passes.replaceChildren(told, ...parts);
    for (const each of this.buttons()) each.classList.toggle("chosen", each === button);
  }
}
