import { Coverage } from "./coverage.js";
import { ExportWatch } from "./exports.js";
import { Gallery } from "./gallery.js";

const place = document.querySelector("[data-dataset]");
const job = place.dataset.dataset;

const gallery = new Gallery(place.querySelector("[data-gallery]"), job);
new Coverage(place.querySelector("[data-coverage]"), job, gallery.filters).refresh();
new ExportWatch(place.querySelector("[data-export]"), job).watch();
