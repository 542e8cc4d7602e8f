// Form fields from a JSON schema, and what they say. Values are told to the farm as they are
// written, in YAML: it knows what they mean.

/** Return a place with a labelled control for each property of a schema; names begin with a group's. */
export function fieldsOf(schema, group = "") {
  const made = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    if (property.const !== undefined) continue;
    made.push(fieldOf(group + name, name, resolved(property, schema), schema));
  }
  return made;
}

function resolved(property, schema) {
  const name = property.$ref?.replace("#/$defs/", "");
  return name ? { ...schema.$defs[name], ...property } : property;
}

function fieldOf(field, name, property, schema) {
  const label = document.createElement("label");
  const word = name.replaceAll("_", " ");
  label.append(`${word[0].toUpperCase()}${word.slice(1)}`);
  const control = controlOf(property, schema);
  control.dataset.field = field;
  control.title = property.description ?? "";
  const wrong = document.createElement("p");
  wrong.className = "wrong";
  wrong.id = `wrong ${field}`.replaceAll(/[^a-z0-9]/gi, "-");
  wrong.dataset.wrong = field;
  wrong.hidden = true;
  label.append(control);
  const place = document.createElement("div");
  place.append(label, wrong, hintOf(control.title));
  return place;
}

/** Return what a field means, shown while somebody is in it: telephones have no tool tips. */
function hintOf(words) {
  const hint = document.createElement("p");
  hint.className = "hint";
  hint.setAttribute("aria-hidden", "true"); // the control's title says the same
  hint.textContent = words;
  return hint;
}

function controlOf(property, schema) {
  const kinds = (property.anyOf ?? [property])
    .map((kind) => resolved(kind, schema)).filter((kind) => kind.type !== "null");
  const kind = kinds[0];
  if (kind.enum) return choice(kind.enum, property.default, property.anyOf !== undefined);
  if (kind.type === "boolean") {
    return choice([true, false], property.default, property.default === null);
  }
  const input = document.createElement("input");
  const isList = kinds.some((each) => each.type === "array");
  const isGroup = kinds.some((each) => ["object", undefined].includes(each.type) && !each.enum);
  if (["integer", "number"].includes(kind.type) && kinds.length === 1) {
    input.type = "number";
    input.step = kind.type === "integer" ? 1 : "any";
    if (kind.minimum !== undefined) input.min = kind.minimum;
    if (kind.maximum !== undefined) input.max = kind.maximum;
  }
  const given = property.default;
  if (isGroup) {
    input.placeholder = given && Object.keys(given).length ? "as usual" : "";
  } else if (given !== null && given !== undefined) {
    input.value = Array.isArray(given) ? given.join(", ") : String(given);
  }
  input.dataset.list = isList ? "yes" : "";
  input.dataset.default = input.value;
  return input;
}

function choice(values, chosen, optional) {
  const select = document.createElement("select");
  if (optional) select.append(new Option("as usual", ""));
  for (const value of values) {
    const word = { true: "yes", false: "no" }[value] ?? String(value);
    select.append(new Option(word, JSON.stringify(value), value === chosen, value === chosen));
  }
  select.dataset.default = select.value;
  return select;
}

/** Return what the controls in a place say that was not so before, by field, written as in YAML. */
export function saidIn(place) {
  const found = {};
  for (const control of place.querySelectorAll("[data-field]")) {
    const text = control.value.trim();
    if (!text || text === control.dataset.default) continue;
    const isRow = control.dataset.list && text.includes(",") && !text.startsWith("[") && !text.startsWith("{");
    found[control.dataset.field] = isRow ? `[${text}]` : text;
  }
  return found;
}

/** Let the controls in a place say what is written, and all others what they say by themselves. */
export function fillIn(place, fields) {
  for (const control of place.querySelectorAll("[data-field]")) {
    const text = fields[control.dataset.field];
    control.value = text === undefined ? control.dataset.default : shown(text, control);
  }
}

function shown(text, control) {
  if (control.tagName === "SELECT") {
    const options = [...control.options].map((option) => option.value);
    return options.find((value) => value === text || value === JSON.stringify(text)) ?? "";
  }
  if (control.dataset.list && /^\[[^[\]{}]*\]$/.test(text)) return text.slice(1, -1);
  return text;
}

/** Say beside a field what is wrong with it; return whether the field is there. */
export function blame(place, field, sentence) {
  const parts = field.split(".");
  for (let length = parts.length; length; length -= 1) {
    const name = parts.slice(0, length).join(".");
    const wrong = place.querySelector(`[data-wrong="${CSS.escape(name)}"]`);
    if (!wrong) continue;
    wrong.textContent = sentence;
    wrong.hidden = false;
    const control = place.querySelector(`[data-field="${CSS.escape(name)}"]`);
    control?.setAttribute("aria-invalid", "true");
    if (wrong.id) control?.setAttribute("aria-describedby", wrong.id);
    return true;
  }
  return false;
}

/** Take back all that was said to be wrong. */
export function forgive(place) {
  for (const wrong of place.querySelectorAll("[data-wrong]")) wrong.hidden = true;
  for (const control of place.querySelectorAll("[aria-invalid]")) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }
}
