// Form fields from a JSON schema, and what they say.

/** Return a label with a control for each simple property of a schema. */
export function fieldsOf(schema) {
  const made = [];
  for (const [name, property] of Object.entries(schema.properties)) {
    if (property.const !== undefined) continue;
    const field = fieldOf(name, resolved(property, schema));
    if (field) made.push(field);
  }
  return made;
}

function resolved(property, schema) {
  const name = property.$ref?.replace("#/$defs/", "");
  return name ? { ...schema.$defs[name], ...property } : property;
}

function fieldOf(name, property) {
  const label = document.createElement("label");
  const word = name.replaceAll("_", " ");
  label.append(`${word[0].toUpperCase()}${word.slice(1)}`);
  const control = controlOf(property);
  if (!control) return null;
  control.dataset.field = name;
  control.title = property.description ?? "";
  label.append(control);
  return label;
}

function controlOf(property) {
  const kinds = (property.anyOf ?? [property]).filter((kind) => kind.type !== "null");
  const kind = kinds[0];
  const empty = property.default === null || property.default === undefined;
  if (kind.enum) return choice(kind.enum, property.default, property.anyOf !== undefined);
  if (kind.type === "boolean") {
    if (property.anyOf) return choice([true, false], property.default, true);
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = Boolean(property.default);
    return box;
  }
  if (kinds.some((each) => ["object", undefined].includes(each.type) && !each.enum)) return null;
  const input = document.createElement("input");
  if (["integer", "number"].includes(kind.type) && kinds.length === 1) {
    input.type = "number";
    input.step = kind.type === "integer" ? 1 : "any";
    if (kind.minimum !== undefined) input.min = kind.minimum;
    if (kind.maximum !== undefined) input.max = kind.maximum;
  }
  if (!empty) input.value = written(property.default);
  input.dataset.default = input.value;
  input.dataset.list = kinds.some((each) => each.type === "array") ? "yes" : "";
  return input;
}

function choice(values, chosen, optional) {
  const select = document.createElement("select");
  if (optional) select.append(new Option("as usual", ""));
  for (const value of values) {
    select.append(new Option(String(value), JSON.stringify(value), false, value === chosen));
  }
  return select;
}

function written(value) {
  if (Array.isArray(value)) return value.join(", ");
  return String(value);
}

/** Return what the controls in a place say, those that say nothing left out. */
export function valuesIn(place) {
  const found = {};
  for (const control of place.querySelectorAll("[data-field]")) {
    const value = valueOf(control);
    if (value !== undefined) found[control.dataset.field] = value;
  }
  return found;
}

function valueOf(control) {
  if (control.type === "checkbox") return control.checked;
  const text = control.value.trim();
  if (!text || text === control.dataset.default) return undefined;
  if (control.tagName === "SELECT") return JSON.parse(text);
  if (control.type === "number") return Number(text);
  if (control.dataset.list && text.includes(",")) {
    return text.split(",").map((part) => plain(part.trim()));
  }
  return plain(text);
}

function plain(text) {
  return text !== "" && Number.isFinite(Number(text)) ? Number(text) : text;
}
