// What a job took: its speed as a line, and tables that the server draws.

import { duration, say } from "./live.js";
import { calmly, redraw } from "./parts.js";

const NEWS_MS = 5000;
const WIDTH = 600;
const HEIGHT = 90;

/** Numbers of a job; they follow it, at most every few seconds. */
export class Numbers {
  constructor(place, job) {
    this.figure = place.querySelector("[data-speed]");
    this.tables = place.querySelector("[data-part=numbers]");
    this.job = job;
    this.refresh = calmly(() => this.load(), NEWS_MS);
  }

  async load() {
    await redraw(this.tables, this.job);
    const answer = await fetch(`/v1/jobs/${this.job}/numbers`).catch(() => null);
    if (answer?.ok) this.draw(await answer.json());
  }

  draw({ line, step_s: step }) {
    this.figure.hidden = line.length < 2;
    if (line.length < 2) return;
    const most = Math.max(...line.map((point) => point.views_per_s));
    const from = line[0].start_s;
    const span = line.at(-1).start_s - from || 1;
    const places = line.map(({ start_s: at, views_per_s: speed }) => [
      (WIDTH * (at - from)) / span, HEIGHT - ((HEIGHT - 6) * speed) / (most || 1) - 2,
    ].map((value) => value.toFixed(1)).join(","));
    const svg = this.figure.querySelector("svg");
    svg.replaceChildren(
      shape("polygon", { class: "under", points: `0,${HEIGHT} ${places.join(" ")} ${WIDTH},${HEIGHT}` }),
      shape("polyline", { class: "speed", points: places.join(" ") }),
    );
    say(this.figure.querySelector("[data-speed-words]"),
      `Views per second over ${duration(span + step)}: ${words(line.at(-1).views_per_s)} now, ${words(most)} at most`);
  }
}

function words(speed) {
  return Number(speed.toPrecision(3)).toLocaleString("en");
}

function shape(name, attributes) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}
