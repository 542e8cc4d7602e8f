import { follow } from "./follow.js";
import { showTimes } from "./live.js";

showTimes();
follow(location.href, 3000, (answered) => {
  document.querySelector("[data-lost]").hidden = answered;
  showTimes();
});
