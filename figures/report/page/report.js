"use strict";
// Pictures are in the page once; their links take them from there.
for (const link of document.querySelectorAll("a[data-of-image]")) link.href = link.closest("figure").querySelector("img").src;

// On a wide screen there is room for the contents.
document.getElementById("contents").open = matchMedia("(min-width: 48rem)").matches;

// Boxes that show the claims of a verdict, or hide them.
(() => {
  const boxes = [...document.querySelectorAll(".filter input")];
  const rows = [...document.querySelectorAll(".claims tbody tr")];
  const shown = document.getElementById("shown");
  const show = () => {
    const wanted = new Set(boxes.filter((b) => b.checked).map((b) => b.dataset.verdict));
    let n = 0;
    for (const row of rows) {
      row.hidden = !wanted.has(row.dataset.verdict);
      if (!row.hidden) n++;
    }
    shown.textContent = n === rows.length ? `${n} claims` : `${n} of ${rows.length} claims`;
  };
  for (const b of boxes) b.addEventListener("change", show);
  show();
})();
