/**
 * What happened over time: a stacked plot by uPlot where it is installed, and the same numbers as a table in any case.
 */
import { element } from "./dom.js";
import { count, moment, shown } from "./shown.js";
import { table } from "./table.js";

const MOST_REASONS = 5;
const HEIGHT = 260;

/**
 * @typedef {object} Series
 * @property {string} name
 * @property {string} look a class: the style sheet has its colour
 * @property {number[]} values one for each bucket
 */

/**
 * The rows of the plot: what was allowed, what waits, and what was refused, by reason; the rarest reasons together.
 * @param {any[]} buckets
 * @returns {Series[]}
 */
export function seriesOf(buckets) {
  const totals = new Map();
  for (const bucket of buckets) {
    for (const [code, number] of Object.entries(bucket.refused)) totals.set(code, (totals.get(code) ?? 0) + number);
  }
  const codes = [...totals].sort((one, other) => other[1] - one[1]).map(([code]) => code);
  const [own, rest] = [codes.slice(0, MOST_REASONS), codes.slice(MOST_REASONS)];
  const found = [
    { name: "allowed", look: "allowed", values: buckets.map((bucket) => bucket.allowed) },
    { name: "waiting for approval", look: "waiting", values: buckets.map((bucket) => bucket.waiting) },
    ...own.map((code, index) => ({
      name: `refused: ${code}`,
      look: `refused-${index}`,
      values: buckets.map((bucket) => bucket.refused[code] ?? 0),
    })),
  ];
  if (rest.length > 0) {
    const values = buckets.map((bucket) => rest.reduce((sum, code) => sum + (bucket.refused[code] ?? 0), 0));
    found.push({ name: "refused: other reasons", look: "refused-rest", values });
  }
  return found;
}

/**
 * @param {any} summary the service's
 * @returns {Promise<Node[]>}
 */
export async function plotOf(summary) {
  const series = seriesOf(summary.buckets);
  const legend = element(
    "ul",
    { class: "legend" },
    series.map((each) =>
      element("li", {}, element("span", { class: `swatch ${each.look}` }), shown(each.name), ` ${count(total(each))}`),
    ),
  );
  return [await canvas(summary.buckets, series, legend), legend, numbers(summary.buckets, series)];
}

/** @param {Series} each */
function total(each) {
  return each.values.reduce((sum, value) => sum + value, 0);
}

/**
 * @param {any[]} buckets
 * @param {Series[]} series
 * @param {Element} legend its swatches have the colours
 */
async function canvas(buckets, series, legend) {
  const frame = element("div", { class: "plot", role: "img", "aria-label": description(buckets, series) });
  if (document.body.dataset.plot !== "yes") {
    return element(
      "p",
      { class: "notice" },
      "The library for plots is not installed: where vaultsigner was installed from, type ",
      element("code", {}, "./run install"),
      " and restart the service. The table below has the same numbers.",
    );
  }
  const { default: UPlot } = await import("./uplot.js");
  requestAnimationFrame(() => draw(UPlot, frame, buckets, series, legend));
  return frame;
}

/**
 * @param {any} UPlot
 * @param {HTMLElement} frame
 * @param {any[]} buckets
 * @param {Series[]} series
 * @param {Element} legend
 */
function draw(UPlot, frame, buckets, series, legend) {
  if (!frame.isConnected) return;
  const colours = [...legend.querySelectorAll(".swatch")].map((each) => getComputedStyle(each).backgroundColor);
  const style = getComputedStyle(frame);
  const times = buckets.map((bucket) => Date.parse(bucket.start) / 1000);
  const width = times.length > 1 ? times[1] - times[0] : 60;
  const axis = { stroke: style.color, grid: { stroke: style.borderTopColor, width: 1 }, ticks: { show: false }, font: "12px system-ui" };
  const bars = UPlot.paths.bars({ size: [0.9, 40], align: 1 });
  const stacked = stack(series).reverse();
  const plot = new UPlot(
    {
      width: frame.clientWidth,
      height: HEIGHT,
      tzDate: (/** @type {number} */ seconds) => UPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      legend: { show: false },
      cursor: { drag: { setScale: false }, points: { show: false }, y: false },
      scales: {
        x: { range: () => [times[0], times[times.length - 1] + width] },
        y: { range: (/** @type {any} */ _, /** @type {number} */ __, /** @type {number} */ most) => [0, Math.max(most * 1.05, 4)] },
      },
      axes: [{ ...axis, values: clock, space: 70 }, { ...axis, size: 44, incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 5000, 10000, 50000, 100000, 1000000] }],
      series: [
        {},
        ...stacked.map((_, index) => ({
          fill: colours[stacked.length - 1 - index],
          width: 0,
          paths: bars,
          points: { show: false },
        })),
      ],
    },
    [times, ...stacked],
    frame,
  );
  new ResizeObserver(() => {
    if (frame.clientWidth > 0 && frame.clientWidth !== plot.width) plot.setSize({ width: frame.clientWidth, height: HEIGHT });
  }).observe(frame);
}

/**
 * What stands below the plot, in UTC: the day, and the time of day where steps are shorter.
 * @param {any} _
 * @param {number[]} splits in seconds
 * @param {number} __
 * @param {number} ___
 * @param {number} step in seconds
 */
function clock(_, splits, __, ___, step) {
  let last = "";
  return splits.map((seconds) => {
    const [day, time] = new Date(seconds * 1000).toISOString().split("T");
    if (step >= 86400) return day;
    const words = time.slice(0, step < 60 ? 8 : 5) + (day === last ? "" : `\n${day}`);
    last = day;
    return words;
  });
}

/**
 * Each row upon those before it.
 * @param {Series[]} series
 */
function stack(series) {
  const heights = series[0].values.map(() => 0);
  return series.map((each) => each.values.map((value, index) => (heights[index] += value)));
}

/**
 * @param {any[]} buckets
 * @param {Series[]} series
 */
function description(buckets, series) {
  const sums = series.map((each) => `${each.name}: ${count(total(each))}`).join(", ");
  return `Requests over time, from ${buckets[0]?.start} on, in ${buckets.length} steps. ${sums}. The table behind “The same numbers” has each step.`;
}

/**
 * @param {any[]} buckets
 * @param {Series[]} series
 */
function numbers(buckets, series) {
  const columns = [
    { title: "From", heading: true, cell: (/** @type {any} */ row) => moment(row.start), order: (/** @type {any} */ row) => row.start },
    ...series.map((each, index) => ({
      title: each.name,
      number: true,
      cell: (/** @type {any} */ row) => count(row.values[index]),
      order: (/** @type {any} */ row) => row.values[index],
    })),
  ];
  const rows = buckets
    .map((bucket, index) => ({ start: bucket.start, values: series.map((each) => each.values[index]) }))
    .filter((row) => row.values.some((value) => value > 0));
  return element(
    "details",
    { class: "numbers" },
    element("summary", {}, "The same numbers as a table"),
    element("div", { class: "scrolled" }, table("Requests over time; steps in which nothing happened are left out", columns, rows)),
  );
}
