// The views of a job: a grid that grows as it is scrolled, and one view as large as the screen.

const MOST_VAIN = 10; // answers without a view, after which nobody asks on
const KEYS_OF_PASSES = "123456789";

/** Show the views of a job in `place`; the address keeps what is looked for, and which view. */
export class Gallery {
  constructor(place, job) {
    this.place = place;
    this.job = job;
    this.cards = [];
    this.cursor = null;
    this.ended = false;
    this.loading = false;
    this.vain = 0;
    this.grid = place.querySelector("[data-grid]");
    this.find = place.querySelector("[data-find]");
    this.status = place.querySelector("[data-status]");
    this.viewer = new Viewer(place.querySelector("dialog"), this);
    this.find.value = new URL(location).searchParams.get("find") ?? "";
    this.find.addEventListener("change", () => this.search());
    this.find.form.addEventListener("submit", (event) => event.preventDefault());
    this.grid.addEventListener("keydown", (event) => this.move(event));
    const end = place.querySelector("[data-end]");
    const near = { rootMargin: "600px" };
    new IntersectionObserver((seen) => seen[0].isIntersecting && this.more(), near).observe(end);
    this.more();
  }

  search() {
    remember("find", this.find.value);
    this.cards = [];
    this.cursor = null;
    this.ended = false;
    this.grid.replaceChildren();
    this.more();
  }

  /** Look again whether there are more views than before. */
  refresh() {
    if (this.ended) {
      this.ended = false;
      if (this.cards.length < 60) this.search();
    }
  }

  async more() {
    if (this.loading || this.ended) return;
    this.loading = true;
    const before = this.cards.length;
    try {
      const asked = new URLSearchParams({ limit: 60, find: this.find.value });
      if (this.cursor) asked.set("cursor", this.cursor);
      const answer = await fetch(`/v1/datasets/${this.job}/gallery?${asked}`);
      if (!answer.ok) {
        this.status.textContent = (await answer.json()).detail;
        return;
      }
      const page = await answer.json();
      for (const card of page.items) this.add(card);
      this.cursor = page.next;
      this.ended = page.next === null;
      this.status.textContent = this.cards.length
        ? `${this.cards.length.toLocaleString("en")} views shown${this.ended ? "" : ", more below"}`
        : this.ended ? (this.find.value ? "No view fits." : "No view is finished yet.") : "Looking …";
      const wanted = new URL(location).searchParams.get("view");
      if (wanted && !this.viewer.dialog.open) {
        const at = this.cards.findIndex((card) => card.name === wanted);
        if (at >= 0) this.viewer.open(at);
      }
    } catch {
      this.status.textContent = "The farm does not answer.";
      return;
    } finally {
      this.loading = false;
    }
    this.vain = this.cards.length === before ? this.vain + 1 : 0;
    const wants = this.grid.getBoundingClientRect().bottom < innerHeight + 300;
    if (!this.ended && wants && this.vain < MOST_VAIN) this.more();
  }

  add(card) {
    const at = this.cards.push(card) - 1;
    const figure = document.createElement("figure");
    const button = document.createElement("button");
    button.type = "button";
    button.className = "picture";
    button.dataset.at = at;
    const image = document.createElement("img");
    image.loading = "lazy";
    image.alt = `${card.title}, ${card.caption}`;
    const first = Object.keys(card.pictures)[0];
    if (first) image.src = address(this.job, card.pictures[first], 256);
    const words = document.createElement("figcaption");
    words.textContent = card.title;
    button.append(image);
    button.addEventListener("click", () => this.viewer.open(at));
    figure.append(button, words);
    this.grid.append(figure);
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

/** One view: its passes by the keys 1 to 9, one laid over the other, boxes, sentences. */
class Viewer {
  constructor(dialog, gallery) {
    this.dialog = dialog;
    this.gallery = gallery;
    this.at = 0;
    this.pass = null;
    this.part = (name) => dialog.querySelector(`[data-${name}]`);
    dialog.addEventListener("keydown", (event) => this.key(event));
    dialog.addEventListener("close", () => remember("view", ""));
    this.part("previous").addEventListener("click", () => this.step(-1));
    this.part("next").addEventListener("click", () => this.step(1));
    this.part("close").addEventListener("click", () => dialog.close());
    this.part("overlay").addEventListener("input", () => this.blend());
    this.part("boxes").addEventListener("change", () => this.draw());
  }

  open(at) {
    this.at = at;
    if (!this.dialog.open) this.dialog.showModal();
    this.show();
  }

  get card() {
    return this.gallery.cards[this.at];
  }

  async step(by) {
    if (this.at + by >= this.gallery.cards.length) await this.gallery.more();
    if (this.gallery.cards[this.at + by]) this.open(this.at + by);
  }

  key(event) {
    if (event.target.matches("input[type=range]") && event.key.startsWith("Arrow")) return;
    if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "f") this.full();
    else if (event.key === "b") this.part("boxes").click();
    else if (KEYS_OF_PASSES.includes(event.key)) {
      const name = Object.keys(this.card.pictures)[Number(event.key) - 1];
      if (name) this.choose(name);
    }
  }

  full() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.dialog.requestFullscreen?.();
  }

  show() {
    const card = this.card;
    remember("view", card.name);
    this.part("title").textContent = card.title;
    this.part("caption").textContent =
      `${card.name} · ${card.caption} · ${card.render_s.toFixed(2)} s on ${card.worker}`;
    if (!card.pictures[this.pass]) this.pass = Object.keys(card.pictures)[0];
    const names = Object.keys(card.pictures);
    this.part("passes").replaceChildren(...names.map((name, number) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${number + 1} ${name}`;
      button.setAttribute("aria-pressed", name === this.pass);
      button.addEventListener("click", () => this.choose(name));
      return button;
    }));
    const base = card.pictures[names[0]];
    if (base) this.part("base").src = address(this.gallery.job, base, 1024);
    this.part("base").alt = `${card.title}, ${names[0]}`;
    this.choose(this.pass);
    this.tell();
    this.draw();
  }

  choose(name) {
    this.pass = name;
    const file = this.card.pictures[name];
    if (file) this.part("over").src = address(this.gallery.job, file, 1024);
    this.part("over").alt = name ?? "";
    for (const button of this.part("passes").children) {
      button.setAttribute("aria-pressed", button.textContent.endsWith(` ${name}`));
    }
    this.blend();
  }

  blend() {
    const first = Object.keys(this.card.pictures)[0];
    const share = this.pass === first ? 100 : Number(this.part("overlay").value);
    this.part("over").style.setProperty("opacity", share / 100);
  }

  tell() {
    const { objects, sentences } = this.card;
    this.part("objects").replaceChildren(...objects.map((thing, at) => {
      const line = document.createElement("li");
      line.textContent = `${at}: ${thing.name} (${thing.category})`;
      return line;
    }));
    this.part("sentences").replaceChildren(...sentences.map((each) => {
      const line = document.createElement("li");
      line.textContent = `${each.text} [${each.kind} ${each.level}${each.negative ? ", no target" : ""}]`;
      line.tabIndex = 0;
      const point = () => this.draw(each.targets);
      line.addEventListener("mouseenter", point);
      line.addEventListener("focus", point);
      line.addEventListener("mouseleave", () => this.draw());
      line.addEventListener("blur", () => this.draw());
      return line;
    }));
  }

  draw(only = null) {
    const svg = this.part("marks");
    const [width, height] = this.card.resolution_px;
    svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const wanted = this.part("boxes").checked ? this.card.objects.map((_, at) => at) : [];
    svg.replaceChildren(...(only ?? wanted).flatMap((at) => {
      const box = this.card.objects[at]?.box_px;
      if (!box) return [];
      const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const [left, top, right, bottom] = box;
      for (const [name, value] of Object.entries({
        x: left, y: top, width: right - left, height: bottom - top, class: "box",
      })) rect.setAttribute(name, value);
      const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
      title.textContent = this.card.objects[at].name;
      rect.append(title);
      return [rect];
    }));
  }
}

/** Return where a small picture of a file is. */
export function address(job, file, size) {
  const path = file.path.split("/").map(encodeURIComponent).join("/");
  return `/v1/datasets/${job}/thumbnails/${file.sha256}/${path}?size=${size}`;
}

/** Keep a word in the page's address. */
export function remember(name, value) {
  const url = new URL(location);
  if (value) url.searchParams.set(name, value);
  else url.searchParams.delete(name);
  history.replaceState(null, "", url);
}
