"use strict";
// The explorer: a slider for the bound on frontiers that were computed before.
(() => {
  const data = document.getElementById("explored");
  if (!data) return;
  const { percentile, risk, levels, trades } = JSON.parse(data.textContent);
  const by = (id) => document.getElementById(id);
  const tool = by("tool"), chosen = by("trade"), slider = by("bound");
  const SVG = "http://www.w3.org/2000/svg";
  const steps = 200;

  const digits = (v, n = 4) => (v === null ? "–" : String(Number(v.toPrecision(n))).replace("-", "−"));
  const amount = (v, unit) => `${digits(v)} ${unit}`;
  const element = (tag, attributes, text) => {
    const e = document.createElementNS(SVG, tag);
    for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
    if (text !== undefined) e.textContent = text;
    return e;
  };
  const row = (heading, cells) => {
    const tr = document.createElement("tr");
    const th = document.createElement("th");
    th.scope = "row";
    th.textContent = heading;
    tr.append(th);
    for (const c of cells) {
      const td = document.createElement("td");
      if (c.number) td.className = "number";
      if (c.judged) td.className = `judged ${c.judged}`;
      td.textContent = c.text;
      tr.append(td);
    }
    return tr;
  };

  // A round number of about the size of x: 1, 2 or 5 times a power of ten.
  const round = (x) => {
    const power = 10 ** Math.floor(Math.log10(x));
    return power * [1, 2, 5, 10].find((k) => k * power >= x);
  };

  // Axes of a small picture; returns the places of x and y on it.
  const axes = (svg, [x0, x1], [y0, y1], xTitle, yTitle) => {
    svg.replaceChildren();
    const left = 44, right = 312, top = 10, bottom = 162;
    const px = (x) => left + ((x - x0) / (x1 - x0)) * (right - left);
    const py = (y) => bottom - ((y - y0) / (y1 - y0)) * (bottom - top);
    const ticks = (lo, hi) => {
      const step = round((hi - lo) / 5), all = [];
      for (let k = Math.ceil(lo / step - 1e-9); k * step <= hi + 1e-9 * step; k++) all.push(k * step);
      return all;
    };
    for (const x of ticks(x0, x1)) {
      svg.append(element("line", { x1: px(x), x2: px(x), y1: top, y2: bottom, class: "grid" }));
      svg.append(element("text", { x: px(x), y: bottom + 14, "text-anchor": "middle" }, digits(x)));
    }
    for (const y of ticks(y0, y1)) {
      svg.append(element("line", { x1: left, x2: right, y1: py(y), y2: py(y), class: "grid" }));
      svg.append(element("text", { x: left - 5, y: py(y) + 4, "text-anchor": "end" }, digits(y)));
    }
    svg.append(element("text", { x: (left + right) / 2, y: bottom + 31, "text-anchor": "middle" }, xTitle));
    svg.append(element("text", { x: 11, y: (top + bottom) / 2, "text-anchor": "middle", transform: `rotate(-90 11 ${(top + bottom) / 2})` }, yTitle));
    return { px, py, top, bottom };
  };
  const path = (points) => "M" + points.map(([x, y]) => `${x.toFixed(1)} ${y.toFixed(1)}`).join("L");

  const drawFrontier = (t, limit, point) => {
    const means = t.points.map((p) => p.mean);
    const least = Math.min(...means), most = Math.max(...means), room = 0.05 * (most - least) || 1;
    const { px, py, top, bottom } = axes(by("frontier"), t.range, [least - room, most + room],
      `bound on the ${t.metric}, p${percentile} (${t.unit})`, `mean ${t.other} (${t.otherUnit})`);
    const stairs = [];
    for (const [i, p] of t.points.entries()) {
      if (i > 0) stairs.push([px(p.at), py(t.points[i - 1].mean)]);
      stairs.push([px(p.at), py(p.mean)]);
    }
    stairs.push([px(t.range[1]), py(t.points.at(-1).mean)]);
    by("frontier").append(element("path", { d: path(stairs), class: "curve" }));
    by("frontier").append(element("line", { x1: px(limit), x2: px(limit), y1: top, y2: bottom, class: "mark" }));
    if (point) by("frontier").append(element("circle", { cx: px(point.at), cy: py(point.mean), r: 4.5, class: "dot" }));
    by("frontier-text").textContent = `The least mean ${t.other} over the bound` + (point ? `; the dot is the answer.` : `; nothing keeps this bound.`);
  };

  const drawDistribution = (t, limit, point) => {
    const svg = by("distribution");
    if (!point) {
      svg.replaceChildren();
      by("distribution-text").textContent = "No configuration, no latency.";
      return;
    }
    const q = point.quantiles;
    const high = Math.max(q.at(-1), t.metric === "latency" ? limit : 0) * 1.05;
    const { px, py, top, bottom } = axes(svg, [0, high], [0, 1], "latency (s)", "share of runs");
    svg.append(element("path", { d: path([[px(q[0]), py(0)], ...q.map((v, i) => [px(v), py(levels[i])]), [px(q.at(-1)), py(1)]]), class: "curve" }));
    if (t.metric === "latency") svg.append(element("line", { x1: px(limit), x2: px(limit), y1: top, y2: bottom, class: "mark" }));
    svg.append(element("circle", { cx: px(point.latency[1]), cy: py(0.95), r: 4.5, class: "dot" }));
    by("distribution-text").textContent = `Distribution of the latency on unseen scenarios: half of the runs take at most ${digits(point.latency[0])} s, ` +
      `95 % at most ${digits(point.latency[1])} s (dot)` + (t.metric === "latency" ? "; the line is the bound." : ".");
  };

  const show = () => {
    const t = trades[chosen.selectedIndex];
    const limit = Number(slider.value);
    const point = t.points.findLast((p) => p.at <= limit);
    // What is proved of a point holds for every bound up to its own.
    const proved = t.points.find((p) => p.at >= limit) ?? t.points.at(-1);
    const text = amount(limit, t.unit);
    by("bound-text").textContent = text;
    slider.setAttribute("aria-valuetext", text);
    by("answer").textContent = point
      ? `${t.name}, p${percentile} of the ${t.metric} at most ${text}: mean ${t.other} ${amount(point.mean, t.otherUnit)}, and no configuration has less than ${amount(proved.least, t.otherUnit)}. ` +
        `On unseen scenarios ${digits(point.risk[0], 3)} % of the runs exceed ${amount(point.at, t.unit)}, mean cost ${amount(point.cost[0], "¢")}, p95 of the cost ${amount(point.cost[1], "¢")}.`
      : `${t.name}, p${percentile} of the ${t.metric} at most ${text}: proved infeasible. The least that can be kept is ${amount(t.points[0].at, t.unit)}.`;
    by("config").tBodies[0].replaceChildren(...(point ? t.stages.map((name, i) => row(name, point.config[i].map((v) => ({ number: true, text: digits(v, 6) })))) : []));
    drawFrontier(t, limit, point);
    drawDistribution(t, limit, point);

    // Methods answered a few bounds: those of the nearest one are shown.
    const bound = t.bounds.reduce((a, b) => (Math.abs(b.limit - limit) < Math.abs(a.limit - limit) ? b : a));
    by("methods-text").textContent = `Methods under the nearest bound that all of them answered, ${amount(bound.limit, t.unit)}: whether at most ${digits(risk)} % of the runs exceed it`;
    by("excess").textContent = `mean ${t.other} beyond the optimum (%)`;
    by("methods").tBodies[0].replaceChildren(...bound.methods.map((m) => row(m.method, [
      ...m.judged.map((j) => ({ judged: j || "none", text: j || "–" })),
      { number: true, text: m.risk[0] === null || !m.judged[0] ? "–" : `${digits(m.risk[0], 3)} (${digits(m.risk[1], 3)} to ${digits(m.risk[2], 3)})` },
      { number: true, text: m.excess === null ? "–" : (m.excess > 0 ? "+" : "") + digits(m.excess, 3) },
      { text: m.says },
    ])));
  };

  // A new trade-off begins in the middle of its range.
  const choose = () => {
    const t = trades[chosen.selectedIndex];
    [slider.min, slider.max] = t.range;
    slider.step = t.step;
    slider.value = t.range[0] + Math.round((t.range[1] - t.range[0]) / 2 / t.step) * t.step;
    by("bound-label").textContent = `Bound on the p${percentile} of the ${t.metric} (${t.unit})`;
    show();
  };

  for (const t of trades) {
    const least = Math.min(t.points[0].at, t.bounds[0].limit), most = t.points.at(-1).at;
    t.step = round((most - least) / steps);
    t.range = [Math.floor(least / t.step) * t.step, Math.ceil(most / t.step) * t.step].map((v) => Number(v.toPrecision(12)));
    const option = document.createElement("option");
    option.textContent = `${t.name}, ${t.metric}`;
    chosen.append(option);
  }
  chosen.addEventListener("change", choose);
  slider.addEventListener("input", show);
  tool.hidden = false;
  choose();
})();
