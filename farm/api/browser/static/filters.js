// What views are looked for: words, and choices that are filled with what the views have.

import { recalled, remember } from "./address.js";

const FLAGS = {
  empty: "Empty mask",
  cut: "Cut off by the edge",
  hidden: "Mostly hidden",
  textures: "Missing textures",
  unread: "File read in part",
  see_through: "See-through",
  corrected: "Asset corrected",
  varies: "Script does not repeat",
  ill_lit: "Black or white",
};
const PLAIN = ["find", "asset", "category", "facet", "kind", "level", "negative", "flag", "worker"];
const MOST = 500; // choices of a group; words find the others
const CHIPS = ["side", "size", "sequence"];

/** The form above the grid; `onChange` is called with what is looked for. */
export class Filters {
  constructor(form, onChange) {
    this.form = form;
    this.onChange = onChange;
    this.chips = form.querySelector("[data-chips]");
    this.chosen = {};
    this.offered = {};
    for (const name of [...PLAIN, ...CHIPS]) this.chosen[name] = recalled(name);
    for (const name of PLAIN) {
      const field = form.elements[name];
      if (field.matches("select") && this.chosen[name]) field.append(option(this.chosen[name]));
      field.value = this.chosen[name];
      field.addEventListener("change", () => this.set({ [name]: field.value }));
    }
    form.addEventListener("submit", (event) => event.preventDefault());
    form.querySelector("[data-clear]").addEventListener("click", () => this.clear());
    this.tell();
  }

  /** Look for something else; what is not named stays. */
  set(words) {
    if (Object.entries(words).every(([name, value]) => this.chosen[name] === value)) return;
    Object.assign(this.chosen, words);
    for (const name of PLAIN) {
      const field = this.form.elements[name];
      if (name in words && field.matches("select")) offer(field, words[name]);
      if (name in words) field.value = words[name];
    }
    remember(words);
    this.tell();
    this.onChange();
  }

  clear() {
    this.set(Object.fromEntries(Object.keys(this.chosen).map((name) => [name, ""])));
  }

  get isAny() {
    return Object.values(this.chosen).some(Boolean);
  }

  /** Offer what the views have, as their coverage counts it. */
  fill({ stats, flags, workers }) {
    const roles = Map.groupBy ? Map.groupBy(stats.assets, (each) => each.role) : new Map([["assets", stats.assets]]);
    this.choices("asset", [...roles].map(([role, assets]) => [
      role, assets.map(({ name, views }) => [name, `${name} (${number(views)})`]),
    ]));
    this.choices("category", counted(stats.categories));
    this.choices("worker", counted(workers));
    this.choices("flag", counted(flags, (flag) => FLAGS[flag] ?? flag));
    this.choices("facet", Object.entries(stats.facets).map(([facet, words]) => [
      facet, Object.entries(words).map(([word, count]) => [`${facet}=${word}`, `${word} (${number(count)})`]),
    ]));
    const said = stats.sentences;
    this.choices("kind", counted(said?.kinds ?? {}));
    this.choices("level", counted(said?.levels ?? {}, (level) => `level ${level}`));
    this.choices("negative", said?.negatives
      ? [["", [["false", "true ones"], ["true", `false ones (${number(said.negatives)})`]]]] : []);
  }

  /** Put choices into a select, by group; without any it is not shown. */
  choices(name, groups) {
    const field = this.form.elements[name];
    const asked = this.chosen[name];
    const filled = groups.filter(([, choices]) => choices.length)
      .map(([label, choices]) => [label, choices.slice(0, MOST)]);
    const told = JSON.stringify(filled);
    if (this.offered[name] === told) return;
    this.offered[name] = told;
    const parts = filled.flatMap(([label, choices]) => {
      const options = choices.map(([value, words]) => option(value, words));
      if (!label) return options;
      const group = document.createElement("optgroup");
      group.label = label;
      group.append(...options);
      return [group];
    });
    field.replaceChildren(option("", "any"), ...parts);
    offer(field, asked);
    field.value = asked;
    field.closest("label").hidden = !filled.length && !asked;
  }

  /** Tell what is looked for that no select holds. */
  tell() {
    const words = {
      side: (cell) => `seen from ${sideWords(cell)}`,
      size: (cell) => `boxes of ${sizeWords(cell)}`,
      sequence: (name) => `frames of ${name}`,
    };
    this.chips.replaceChildren(...CHIPS.filter((name) => this.chosen[name]).map((name) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `${words[name](this.chosen[name])} ×`;
      button.title = "Look for all again";
      button.addEventListener("click", () => this.set({ [name]: "" }));
      return button;
    }));
    this.form.querySelector("[data-clear]").hidden = !this.isAny;
  }
}

function counted(counts, words = (name) => name) {
  return [["", Object.entries(counts).map(([name, count]) => [name, `${words(name)} (${number(count)})`])]];
}

function number(count) {
  return count.toLocaleString("en");
}

function option(value, words = value) {
  const made = document.createElement("option");
  made.value = value;
  made.textContent = words;
  return made;
}

/** Add a choice to a select that lacks it. */
function offer(field, value) {
  if (value && ![...field.options].some((each) => each.value === value)) field.append(option(value));
}

/** Return which angles a field of the dome spans. */
export function sideWords(cell) {
  const [row, column] = cell.split(",").map(Number);
  return `yaw ${10 * column}° to ${10 * column + 10}°, pitch ${10 * row}° to ${10 * row + 10}°`;
}

/** Return which shares of the picture's sides a field of box sizes spans. */
export function sizeWords(cell) {
  const [row, column] = cell.split(",").map(Number);
  const share = (at) => `${Math.round((100 * at) / 24)} to ${Math.round((100 * (at + 1)) / 24)} %`;
  return `${share(column)} of the width, ${share(row)} of the height`;
}
