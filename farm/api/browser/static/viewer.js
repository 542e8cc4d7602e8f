// One view as large as the window: its passes, one laid over another, boxes, names, points,
// sentences; a sequence plays.

import { pictureOf, remember } from "./address.js";
import { Player } from "./player.js";

const SVG = "http://www.w3.org/2000/svg";
const KEYS_OF_PASSES = "123456789";
const LARGE = 1024;

/** The dialog in which a view is looked at. */
export class Viewer {
  constructor(dialog, gallery) {
    this.dialog = dialog;
    this.gallery = gallery;
    this.at = null;
    this.card = null;
    this.pass = null;
    this.part = (name) => dialog.querySelector(`[data-${name}]`);
    this.player = new Player(this.part("player"), gallery.job, (card) => this.frame(card));
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("close", () => this.closed());
    this.part("previous").addEventListener("click", () => this.step(-1));
    this.part("next").addEventListener("click", () => this.step(1));
    this.part("close").addEventListener("click", () => dialog.close());
    this.part("overlay").addEventListener("input", () => this.blend());
    for (const name of ["boxes", "names", "points"]) {
      this.part(name).addEventListener("change", () => this.draw());
    }
    for (const name of ["base", "over"]) {
      this.part(name).addEventListener("error", () => this.fault("This picture cannot be shown; its file may have been replaced: load the page again."));
      this.part(name).addEventListener("load", () => this.fault(""));
    }
  }

  /** Show one of the gallery's views. */
  open(at) {
    this.at = at;
    this.openCard(this.gallery.cards[at]);
  }

  /** Show a view that the grid does not hold, or not yet. */
  openAlone(card) {
    this.at = null;
    this.openCard(card);
  }

  openCard(card) {
    if (!this.dialog.open) this.dialog.showModal();
    this.part("stage").focus();
    this.player.load(card);
    this.show(card);
    this.player.pass = this.pass;
  }

  closed() {
    this.player.load(null);
    remember({ view: "" });
    const card = this.gallery.grid.querySelector(`[data-at="${this.at}"]`);
    card?.focus();
  }

  async step(by) {
    const { cards } = this.gallery;
    const next = (this.at ?? -1) + by;
    if (next >= cards.length) await this.gallery.more();
    if (this.gallery.cards[next]) this.open(next);
  }

  key(event) {
    const { target, key } = event;
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (target.matches("input[type=range]") && /^(Arrow|Home|End|Page)/.test(key)) return;
    if (key === " ") {
      if (target.matches("button, input")) return;
      event.preventDefault();
      this.player.toggle();
    } else if (key === "ArrowRight") this.step(1);
    else if (key === "ArrowLeft") this.step(-1);
    else if (key === "." || key === ",") this.player.step(key === "." ? 1 : -1);
    else if (key === "f") this.full();
    else if (key === "b") this.part("boxes").click();
    else if (key === "n") this.part("names").click();
    else if (key === "p") this.part("points").click();
    else if (KEYS_OF_PASSES.includes(key)) {
      const name = Object.keys(this.card.pictures)[Number(key) - 1];
      if (name) this.choose(name);
    }
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.part("whole").requestFullscreen?.(); // browsers refuse it to a dialog itself
  }

  /** Show a view with all that is known of it. */
  show(card) {
    this.frame(card);
    this.buttons();
    this.tell();
    remember({ view: card.name });
  }

  /** Show a view's picture: all that changes while a sequence plays. */
  frame(card) {
    this.card = card;
    const names = Object.keys(card.pictures);
    if (!card.pictures[this.pass]) [this.pass] = names;
    this.part("title").textContent = card.title;
    this.part("caption").textContent =
      `${card.name} · ${card.caption} · ${card.render_s.toFixed(2)} s on ${card.worker}`;
    this.picture("base", names[0]);
    this.picture("over", this.pass);
    this.blend();
    this.draw();
    if (!this.player.isPlaying) this.tell();
  }

  picture(part, name) {
    const image = this.part(part);
    image.hidden = !name;
    if (!name) return;
    const { card } = this;
    const size = this.player.isPlaying ? this.player.size : LARGE;
    image.src = pictureOf(this.gallery.job, card, name, size);
    image.alt = part === "base" ? `${card.title}, ${name}` : name;
  }

  fault(words) {
    this.part("fault").textContent = words;
  }

  buttons() {
    const names = Object.keys(this.card.pictures);
    this.part("passes").replaceChildren(...names.map((name, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.dataset.pass = name;
      button.textContent = `${number + 1} ${name}`;
      button.setAttribute("aria-pressed", name === this.pass);
      button.addEventListener("click", () => this.choose(name));
      return button;
    }));
    const arrays = this.card.without_picture;
    this.part("arrays").textContent = arrays.length
      ? `${arrays.join(", ")}: arrays of numbers, without a picture.` : "";
  }

  choose(name) {
    this.pass = name;
    this.player.pass = name;
    this.picture("over", name);
    for (const button of this.part("passes").children) {
      button.setAttribute("aria-pressed", button.dataset.pass === name);
    }
    this.blend();
  }

  blend() {
    const [first] = Object.keys(this.card.pictures);
    const share = this.pass === first ? 100 : Number(this.part("overlay").value);
    this.part("over").style.setProperty("opacity", share / 100);
  }

  tell() {
    const { objects, sentences, assets, flags } = this.card;
    this.part("flags").textContent = flags.length ? `Worth a look: ${flags.join(", ").replaceAll("_", "-")}.` : "";
    this.part("sentences").replaceChildren(...sentences.map((each) => {
      const line = this.line(`${each.text} [${each.kind} ${each.level}${each.negative ? ", no target" : ""}]`, each.targets);
      return line;
    }));
    this.part("objects").replaceChildren(...objects.map((thing, at) => {
      const part = thing.visible_fraction === null ? "" : `, ${Math.round(100 * thing.visible_fraction)} % visible`;
      return this.line(`${at}: ${thing.name} (${thing.category}${part})`, [at]);
    }));
    this.part("assets").textContent = `Made of ${assets.join(", ")}.`;
  }

  /** Return a line that outlines things while it is pointed at. */
  line(words, targets) {
    const line = document.createElement("li");
    line.textContent = words;
    line.tabIndex = 0;
    for (const moment of ["mouseenter", "focus"]) line.addEventListener(moment, () => this.draw(targets));
    for (const moment of ["mouseleave", "blur"]) line.addEventListener(moment, () => this.draw());
    return line;
  }

  draw(only = null) {
    const svg = this.part("marks");
    const { objects, resolution_px: [width, height] } = this.card;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const size = Math.max(width, height) / 45;
    const all = objects.map((_, at) => at);
    const boxes = this.part("boxes").checked ? all : [];
    const named = this.part("names").checked ? all : [];
    svg.replaceChildren(
      ...(only ?? boxes).flatMap((at) => box(objects[at])),
      ...(only ?? named).flatMap((at) => label(objects[at], at, size)),
      ...(this.part("points").checked ? objects.flatMap((thing) => points(thing, size)) : []),
    );
  }
}

function shape(kind, attributes) {
  const made = document.createElementNS(SVG, kind);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  return made;
}

function text(words, x, y, size) {
  const made = shape("text", { x, y, "font-size": size, class: "mark" });
  made.textContent = words;
  return made;
}

function box(thing) {
  if (!thing?.box_px) return [];
  const [left, top, right, bottom] = thing.box_px;
  return [shape("rect", { x: left, y: top, width: right - left, height: bottom - top, class: "box" })];
}

function label(thing, at, size) {
  if (!thing?.box_px) return [];
  const [left, top] = thing.box_px;
  const ids = thing.indices.length ? ` #${thing.indices.slice(0, 3).join(" #")}${thing.indices.length > 3 ? " …" : ""}` : "";
  return [text(`${at} ${thing.name}${ids}`, left, Math.max(top - size / 4, size), size)];
}

function points(thing, size) {
  return thing.keypoints.flatMap(({ name, px: [x, y], visible }) => [
    shape("circle", { cx: x, cy: y, r: size / 4, class: visible === false ? "point unseen" : "point" }),
    text(name, x + size / 3, y, 0.8 * size),
  ]);
}
