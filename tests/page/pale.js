// Words whose contrast to what is behind them is below 4.5 (WCAG 2.2, 1.4.3).
() => {
  const level = (rgb) => {
    const [r, g, b] = rgb.map((v) => {
      const s = v / 255;
      return s <= 0.03928 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
  const ground = (each) => {
    for (let at = each; at; at = at.parentElement) {
      const [r, g, b, a = 1] = numbers(getComputedStyle(at).backgroundColor);
      if (a > 0.5) return [r, g, b];
    }
    return [255, 255, 255];
  };
  const found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const each = walk.currentNode.parentElement;
    if (!walk.currentNode.textContent.trim() || !each.checkVisibility() || each.closest("script, dialog:not([open]), canvas, title")) continue;
    const style = getComputedStyle(each);
    const one = level(numbers(style.color).slice(0, 3));
    const two = level(ground(each));
    const ratio = (Math.max(one, two) + 0.05) / (Math.min(one, two) + 0.05);
    if (ratio < 4.5) found.push(`${ratio.toFixed(2)} ${each.outerHTML.slice(0, 80)}`);
  }
  return found;
}
