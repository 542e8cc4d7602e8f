import { showTimes } from "./live.js";

// A token is copied by a button, where the browser lets a page do that.
showTimes();
const button = document.querySelector("[data-copy]");
const secret = document.querySelector("[data-secret]");
if (button && navigator.clipboard) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(secret.value);
    button.textContent = "Copied";
  });
}
secret?.select();
