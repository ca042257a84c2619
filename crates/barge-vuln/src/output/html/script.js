"use strict";
const form = document.querySelector("form.controls");
if (form) {
  const worst = ["critical", "high", "medium", "low", "negligible", "unknown"];
  const rows = [...form.parentElement.querySelectorAll(".finding")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const { words, level, order, shown } = form.elements;
  const orders = {
    package: (a, b) => a.dataset.package.localeCompare(b.dataset.package),
    likelihood: (a, b) => b.dataset.likelihood - a.dataset.likelihood,
  };
  const filter = () => {
    const wanted = words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const least = level.value ? worst.indexOf(level.value) : worst.length;
    let count = 0;
    rows.forEach((row, index) => {
      const fits = worst.indexOf(row.dataset.level) <= least && wanted.every((word) => texts[index].includes(word));
      row.hidden = !fits;
      count += fits;
    });
    shown.value = `${count} of ${rows.length}`;
  };
  const sort = () => form.parentElement.append(...(order.value ? [...rows].sort(orders[order.value]) : rows));
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  order.addEventListener("change", sort);
  form.hidden = false;
  filter();
}
const open = () => {
  const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (target) target.open = true;
};
addEventListener("hashchange", open);
open();
