// Controls and pictures that a screen reader has no name for.
() => [...document.querySelectorAll("a, button, input:not([type=hidden]), select, img")]
  .filter((each) => !each.closest("[aria-hidden=true]") && each.getAttribute("aria-hidden") !== "true")
  .filter((each) => !(each.textContent.trim() || each.getAttribute("aria-label") || each.title
    || each.hasAttribute("alt") || each.querySelector("img[alt]:not([alt=\"\"])") || each.labels?.length))
  .map((each) => each.outerHTML)
