// The list of assets: pictures that are not there, and what is ticked for a new job.

/** Take away pictures that cannot be shown: the word below says what it is. */
export function dropMissing(place = document) {
  for (const image of place.querySelectorAll(".picture-of img")) {
    const drop = () => image.remove();
    if (image.complete && !image.naturalWidth && image.currentSrc) drop();
    else image.addEventListener("error", drop);
  }
}

function tell(form) {
  const count = form.querySelectorAll("input[name=with]:checked").length;
  form.querySelector("[data-taken]").textContent = count ? `${count.toLocaleString("en")} ticked` : "";
  form.querySelector("[data-take-button]").disabled = !count;
}

dropMissing();
const form = document.querySelector("[data-take]");
if (form?.querySelector("[data-taken]")) {
  form.addEventListener("change", () => tell(form));
  tell(form);
}
