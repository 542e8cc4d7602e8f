// Views of two jobs that belong together, one laid over the other up to a line.

import { pictureOf, recalled, remember, viewNamed, views } from "./address.js";

const AT_ONCE = 200;
const MOST_VAIN = 100; // answers without a pair, after which nobody asks any further
const STEP = 5;

/** Two jobs, view by view. */
class Comparison {
  constructor(place) {
    this.place = place;
    this.part = (name) => place.querySelector(`[data-${name}]`);
    this.jobs = [place.dataset.one, place.dataset.other];
    this.pass = recalled("pass") || null;
    this.by = recalled("by") || "name";
    this.part("by").value = this.by;
    this.part("by").addEventListener("change", () => this.match(this.part("by").value));
    this.part("previous").addEventListener("click", () => this.step(-1));
    this.part("next").addEventListener("click", () => this.step(1));
    this.part("differing").addEventListener("click", () => this.nextDiffering());
    this.part("find").form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.find(this.part("find").value.trim());
    });
    this.part("line").addEventListener("input", () => this.wipe());
    this.part("wipe").addEventListener("pointermove", (event) => event.buttons && this.drag(event));
    this.part("wipe").addEventListener("pointerdown", (event) => this.drag(event));
    this.part("over").addEventListener("load", () => this.fit());
    document.addEventListener("keydown", (event) => this.key(event));
    this.match(this.by);
  }

  /** Begin anew: views belong together that have the same name, or the same id. */
  async match(by) {
    this.by = by;
    remember({ by: by === "name" ? "" : by });
    this.known = this.jobs.map(() => new Map());
    this.cursors = this.jobs.map(() => "");
    this.pairs = [];
    this.keys = new Set();
    this.at = 0;
    this.say("Looking for views that belong together …");
    const wanted = recalled("view");
    if (!await this.more()) this.none();
    else if (wanted) await this.find(wanted);
    else this.show();
  }

  keyOf(card) {
    return this.by === "id" ? card.view_id : `${card.dataset}/${card.name}`;
  }

  /** Read on until there is another pair; return whether there is one. */
  async more() {
    const before = this.pairs.length;
    for (let vain = 0; vain < MOST_VAIN && this.pairs.length === before; vain += 1) {
      if (this.cursors.every((cursor) => cursor === null)) return false;
      try {
        await Promise.all([0, 1].map((side) => this.read(side)));
      } catch (error) {
        this.say(error.message);
        return false;
      }
    }
    return this.pairs.length > before;
  }

  async read(side) {
    if (this.cursors[side] === null) return;
    const page = await views(this.jobs[side], { limit: AT_ONCE, cursor: this.cursors[side] });
    this.cursors[side] = page.next;
    for (const card of page.items) this.take(side, card);
  }

  take(side, card) {
    const key = this.keyOf(card);
    this.known[side].set(key, card);
    const [left, right] = this.known.map((cards) => cards.get(key));
    if (!left || !right || this.keys.has(key)) return;
    this.keys.add(key);
    this.pairs.push([left, right]);
    for (const cards of this.known) cards.delete(key);
  }

  none() {
    const words = { name: "the name", id: "the id" }[this.by];
    this.say(`No view of one job has ${words} of a view of the other, as far as was looked.`);
  }

  async step(by) {
    if (this.at + by >= this.pairs.length) await this.more();
    if (!this.pairs[this.at + by]) return;
    this.at += by;
    this.show();
  }

  /** Go to the next pair whose files of the pass are not the same. */
  async nextDiffering() {
    for (let at = this.at + 1; ; at += 1) {
      if (!this.pairs[at] && !await this.more()) break;
      if (this.differs(this.pairs[at])) {
        this.at = at;
        this.show();
        return;
      }
    }
    this.say(`No further view differs in ${this.pass}. ${this.words()}`);
  }

  differs([left, right]) {
    return left.pictures[this.pass]?.sha256 !== right.pictures[this.pass]?.sha256;
  }

  /** Go to the pair of a name. */
  async find(name) {
    if (!name) return;
    const found = await Promise.all(this.jobs.map((job) => viewNamed(job, name).catch(() => null)));
    if (found.some((card) => card === null)) {
      this.say(`${name}: is not a view of both jobs.`);
      return;
    }
    const at = this.pairs.findIndex(([left]) => left.name === name);
    if (at >= 0) this.at = at;
    else this.at = this.pairs.push(found) - 1;
    this.keys.add(this.keyOf(found[0]));
    this.show();
  }

  show() {
    const [left, right] = this.pairs[this.at];
    const passes = Object.keys(left.pictures).filter((each) => each in right.pictures);
    if (!passes.includes(this.pass)) [this.pass] = passes;
    this.part("passes").replaceChildren(...passes.map((name, number) => this.button(name, number)));
    if (this.pass) {
      for (const [image, side, card] of [["over", 0, left], ["under", 1, right]]) {
        this.part(image).src = pictureOf(this.jobs[side], card, this.pass, 1024);
        this.part(image).alt = `${card.title}, ${card.caption}, ${this.pass}, of ${this.jobs[side]}`;
      }
    }
    this.fit();
    this.say(this.words());
    remember({ view: left.name, pass: this.pass });
    this.wipe();
  }

  words() {
    const [left] = this.pairs[this.at];
    const count = `${this.at + 1} of ${this.pairs.length.toLocaleString("en")}`;
    const more = this.cursors.some((cursor) => cursor !== null) ? " so far" : "";
    const same = this.pass ? `${this.pass} ${this.differs(this.pairs[this.at]) ? "differs" : "is the same, byte by byte"}` : "no pass is in both";
    return `${left.name}: ${left.title}, ${left.caption} (${count}${more}); ${same}`;
  }

  button(name, number) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = `${number + 1} ${name}`;
    button.setAttribute("aria-pressed", name === this.pass);
    button.addEventListener("click", () => { this.pass = name; this.show(); });
    return button;
  }

  /** Give the frame the shape of the pictures, so that the line is where it says. */
  fit() {
    const [left] = this.pairs[this.at] ?? [];
    if (!left) return;
    const [width, height] = left.resolution_px;
    this.part("wipe").style.setProperty("aspect-ratio", `${width} / ${height}`);
    this.part("wipe").style.setProperty("width", `min(100%, ${(75 * width) / height}vh)`);
  }

  drag(event) {
    const { left, width } = this.part("wipe").getBoundingClientRect();
    this.part("line").value = (100 * (event.clientX - left)) / width;
    this.wipe();
  }

  wipe() {
    const at = this.part("line").value;
    this.part("over").style.setProperty("clip-path", `inset(0 ${100 - at}% 0 0)`);
    this.part("mark").style.setProperty("left", `${at}%`);
  }

  key(event) {
    if (event.target.matches("input, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    const line = this.part("line");
    if (event.shiftKey && event.key.startsWith("Arrow")) {
      line.value = Number(line.value) + (event.key === "ArrowRight" ? STEP : -STEP);
      this.wipe();
    } else if (event.key === "ArrowRight") this.step(1);
    else if (event.key === "ArrowLeft") this.step(-1);
    else if (event.key === "n") this.nextDiffering();
    else this.part("passes").children[Number(event.key) - 1]?.click();
  }

  say(words) {
    this.part("status").textContent = words;
  }
}

new Comparison(document.querySelector("[data-compare]"));
