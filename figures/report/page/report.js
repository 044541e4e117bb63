"use strict";
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
