// Files that were picked or dropped for the roles of a recipe, with the folders that they lay in.

/** Return a file's path from the folder that was picked; of a file alone its name. */
function pathOf(file) {
  return file.webkitRelativePath || file.name;
}

/** Yield the files of what was dropped, those in folders with their paths. */
export async function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.length) return [...transfer.files].map((file) => ({ path: file.name, file }));
  const found = [];
  for (const entry of entries) await walk(entry, "", found);
  return found;
}

async function walk(entry, folder, found) {
  const path = folder + entry.name;
  if (entry.isFile) {
    const file = await new Promise((done, fail) => entry.file(done, fail));
    found.push({ path, file });
    return;
  }
  const reader = entry.createReader();
  for (;;) { // a reader gives some at a time, and none at the end
    const some = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!some.length) return;
    for (const each of some) await walk(each, `${path}/`, found);
  }
}

/** The files of one role: a place to pick them, and what was picked. */
export class RolePick {
  constructor(role, onChange) {
    this.role = role;
    this.files = new Map();
    this.onChange = onChange;
    this.element = this.made();
  }

  made() {
    const { role } = this;
    const place = document.createElement("div");
    place.className = "role";
    place.dataset.drop = role.name;
    const title = document.createElement("h3");
    const least = role.at_least ? "needed" : "may be left out";
    title.textContent = `${role.word[0].toUpperCase()}${role.word.slice(1)}${role.at_most === 1 ? "" : "s"}: `;
    const kinds = document.createElement("span");
    kinds.className = "quiet";
    kinds.textContent = `${role.suffixes.join(" ")} (${least}${role.at_most ? `, ${role.at_most} at most` : ""})`;
    title.append(kinds);
    const picks = document.createElement("div");
    picks.className = "actions";
    picks.append(this.input("Choose files", false), this.input("Choose a folder", true), this.button());
    this.words = document.createElement("p");
    this.words.className = "quiet";
    this.words.setAttribute("role", "status");
    const wrong = document.createElement("p");
    wrong.className = "wrong";
    wrong.dataset.wrong = role.name;
    wrong.hidden = true;
    place.append(title, picks, this.words, wrong);
    return place;
  }

  input(word, folder) {
    const label = document.createElement("label");
    label.className = "file";
    label.append(`${word} …`);
    const input = document.createElement("input");
    input.type = "file";
    input.multiple = true;
    input.webkitdirectory = folder;
    input.dataset[folder ? "folder" : "role"] = this.role.name;
    input.setAttribute("aria-label", `${word} for ${this.role.name.replaceAll("_", " ")}`);
    input.addEventListener("change", () => {
      this.add([...input.files].map((file) => ({ path: pathOf(file), file })));
      input.value = "";
    });
    label.append(input);
    return label;
  }

  button() {
    this.clearer = document.createElement("button");
    this.clearer.type = "button";
    this.clearer.textContent = "Take none of them";
    this.clearer.hidden = true;
    this.clearer.addEventListener("click", () => {
      this.files.clear();
      this.tell();
    });
    return this.clearer;
  }

  add(picked) {
    for (const { path, file } of picked) {
      const hidden = path.split("/").some((part) => part.startsWith("."));
      if (!hidden) this.files.set(path, file);
    }
    this.tell();
  }

  takes(path) {
    return this.role.suffixes.some((suffix) => path.toLowerCase().endsWith(suffix));
  }

  /** Say whether a file is looked into by the farm, to know what assets need. */
  isRead(path) {
    return this.role.read.some((suffix) => path.toLowerCase().endsWith(suffix));
  }

  tell() {
    const own = [...this.files.keys()].filter((path) => this.takes(path));
    const others = this.files.size - own.length;
    const names = own.slice(0, 5).join(", ") + (own.length > 5 ? ", …" : "");
    const beside = others ? ` and ${others.toLocaleString("en")} beside them` : "";
    this.words.textContent = this.files.size ? `${own.length.toLocaleString("en")} picked: ${names}${beside}` : "";
    this.clearer.hidden = !this.files.size;
    this.onChange();
  }
}
