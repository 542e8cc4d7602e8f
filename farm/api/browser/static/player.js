// A sequence as it plays: its frames at their pace, loaded ahead, with a slider.

import { pictureOf, views } from "./address.js";

const AHEAD = 24;
const MOST = 5000; // frames of a longer sequence play no further
const SLOWEST_FPS = 1;
const FASTEST_FPS = 60;

/** Plays the frames of the sequence that a card is of; `show` is called with each. */
export class Player {
  constructor(place, job, show) {
    this.place = place;
    this.job = job;
    this.show = show;
    this.size = 512;
    this.pass = null;
    this.round = 0;
    this.loaded = new Map();
    this.part = (name) => place.querySelector(`[data-${name}]`);
    this.part("play").addEventListener("click", () => this.toggle());
    this.part("frame").addEventListener("input", () => this.go(Number(this.part("frame").value)));
    this.load(null);
  }

  get isPlaying() {
    return Boolean(this.timer);
  }

  /** Take the sequence of a card; of one that is of none, nothing is to be played. */
  async load(card) {
    this.pause();
    this.round += 1;
    this.loaded.clear();
    this.frames = [];
    this.at = 0;
    this.place.hidden = !card?.moment;
    if (!card?.moment) return;
    const { round } = this;
    this.frames = [card];
    this.tell();
    await this.read(card, round).catch(() => null);
  }

  async read(card, round) {
    let cursor = null;
    do {
      const page = await views(this.job, { sequence: card.moment.sequence, limit: 500, cursor });
      if (round !== this.round) return;
      const found = page.items.filter((each) => each.dataset === card.dataset);
      const known = new Map([...this.frames, ...found].map((each) => [each.moment.place, each]));
      const here = this.frames[this.at];
      this.frames = [...known.values()].sort((one, two) => one.moment.place - two.moment.place);
      this.at = Math.max(this.frames.findIndex((each) => each.name === here.name), 0);
      this.tell();
      cursor = page.next;
    } while (cursor !== null && this.frames.length < Math.min(card.moment.of, MOST));
  }

  toggle() {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  play() {
    if (this.frames.length < 2) return;
    const fps = Math.min(Math.max(this.frames[0].moment.fps, SLOWEST_FPS), FASTEST_FPS);
    this.timer = setInterval(() => this.tick(), 1000 / fps);
    this.tell();
  }

  pause() {
    clearInterval(this.timer);
    const wasPlaying = this.isPlaying;
    this.timer = 0;
    if (wasPlaying) this.go(this.at);
  }

  /** Show the next frame, once its picture is there. */
  tick() {
    const next = (this.at + 1) % this.frames.length;
    for (let step = 0; step < AHEAD; step += 1) this.fetch((next + step) % this.frames.length);
    const pictures = this.loaded.get(next);
    if (pictures.every((image) => image.complete)) this.go(next);
  }

  fetch(at) {
    const card = this.frames[at];
    const [first] = Object.keys(card.pictures);
    const names = new Set([first, this.pass].filter((name) => card.pictures[name]));
    const sources = [...names].map((name) => pictureOf(this.job, card, name, this.size));
    const known = this.loaded.get(at);
    if (known && sources.every((source, place) => known[place]?.dataset.source === source)) return;
    this.loaded.set(at, sources.map((source) => {
      const image = new Image();
      image.src = source;
      image.dataset.source = source;
      return image;
    }));
    if (this.loaded.size > 3 * AHEAD) this.loaded.delete(this.loaded.keys().next().value);
  }

  step(by) {
    this.pause();
    this.go(this.at + by);
  }

  go(at) {
    if (!this.frames[at]) return;
    this.at = at;
    this.show(this.frames[at]);
    this.tell();
  }

  tell() {
    const { moment } = this.frames[this.at];
    const slider = this.part("frame");
    slider.max = this.frames.length - 1;
    slider.value = this.at;
    slider.setAttribute("aria-valuetext", `frame ${moment.number}`);
    this.part("play").textContent = this.isPlaying ? "Pause" : "Play";
    this.part("told").textContent =
      `${moment.sequence}: frame ${moment.number}, ${this.at + 1} of ${this.frames.length}`
      + `${this.frames.length < moment.of ? ` that are there of ${moment.of}` : ""}, ${Number(moment.fps.toFixed(3))} fps`;
  }
}
