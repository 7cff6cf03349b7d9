// The table of runs. Values are shown by textContent alone: nothing here makes markup of data.
// A run is a number: its place in every column.

// How many rows are put into the page: at first, after every key pressed in the search, few enough
// to appear without a wait; then as many more as people ask for.
const FIRST = 100;
const CHUNK = 500;
const PRINTED = 5000; // of 20,000, a thousand pages, Chromium prints none: "Printing failed"
const FACETS = ["status", "codes", "family", "dataset"];
const TEXTS = {
  en: {
    other: "中文",
    all: "all",
    unknown: "unknown",
    count: (n, of, renames) => `${n} of ${of} runs · ${renames} to rename`,
    download: (n) => `Download these ${n} rows as a plan (CSV)`,
    more: (n) => `Show ${n} more`,
    printed: (n, of) => `The first ${n} of these ${of} rows are printed.`,
    copy: "Copy",
    copied: "Copied",
    refused: "The browser does not let this page copy.",
    open: (name) => `${name} on W&B (opens a new tab)`,
    copyName: (name) => `Copy the new name ${name}`,
  },
  zh: {
    other: "English",
    all: "全部",
    unknown: "未知",
    count: (n, of, renames) => `${n} / ${of} 个实验 · ${renames} 个待改名`,
    download: (n) => `将当前显示的行下载为改名计划（CSV，共 ${n} 行）`,
    more: (n) => `再显示 ${n} 行`,
    printed: (n, of) => `共 ${of} 行，此处打印前 ${n} 行。`,
    copy: "复制",
    copied: "已复制",
    refused: "浏览器不允许此页面复制。",
    open: (name) => `在 W&B 中打开 ${name}（新标签页）`,
    copyName: (name) => `复制新名称 ${name}`,
  },
};

const $ = (id) => document.getElementById(id);
const number = (n) => n.toLocaleString("en");
const preferred = navigator.languages.find((tag) => /^(en|zh)\b/i.test(tag)) || "en";
let language = preferred.slice(0, 2).toLowerCase();

// --- The data -----------------------------------------------------------------------------------

const data = JSON.parse($("data").textContent);
const columns = {}; // column → a text for each run, or null
for (const [name, packed] of Object.entries(data.columns)) {
  columns[name] = Array.isArray(packed) ? packed : packed.at.map((at) => packed.values[at]);
}
// Names come in parts: shared with the run's other name, its own, shared, …
const { old_name: oldParts, new_name: newParts } = columns;
columns.old_name = oldParts.map((parts) => parts.join(""));
columns.new_name = newParts.map((parts) => parts && parts.join(""));

// As `migrate.text.visible`. With the u flag, halves of surrogate pairs count only when alone.
const UNSEEN = new RegExp(data.unseen, "gu");
const ESCAPES = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
function escape(mark) {
  const code = mark.codePointAt(0);
  const hex = (width) => code.toString(16).padStart(width, "0");
  if (ESCAPES[mark]) return ESCAPES[mark];
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
const visible = (text) => text.replace(UNSEEN, escape);

// Byte for byte the file of `-o plan.csv`: Python wrote the cells that are not the text itself.
function csv(runs) {
  const cell = (name, run) => data.cells[name][run] ?? columns[name][run] ?? "";
  const quote = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = runs.map((run) => data.csv.map((name) => quote(cell(name, run))).join(","));
  return `\ufeff${[data.csv.join(","), ...lines].join("\r\n")}\r\n`;
}

// --- Which runs, in which order -----------------------------------------------------------------

const order = columns.run_id.map((_, run) => run);
const sorting = { column: null, direction: 1 };
let shown = order; // the runs that pass the filters, sorted
let searched = null; // what the search looks in, a text for each run

function searchable() {
  const names = ["old_name", "new_name", "run_id", "reason", "arch", "dataset", "state", "status"];
  if (data.several) names.push("entity", "project");
  searched ??= columns.run_id.map((_, run) =>
    visible(names.map((name) => columns[name][run]).join(" \n ")).toLowerCase(),
  );
  return searched;
}

// What a run counts as in a filter: a run may have several reasons, and "" is not known.
function facetValues(name, run) {
  return name === "codes" ? columns.codes[run] : [columns[name][run] ?? ""];
}

function filter() {
  const words = visible($("words").value).toLowerCase().split(/\s+/).filter(Boolean);
  const haystack = words.length ? searchable() : null;
  const tests = words.map((word) => (run) => haystack[run].includes(word));
  for (const name of FACETS) {
    const chosen = $(`f-${name}`).value; // "" is all, "=x" the value x
    if (chosen) tests.push((run) => facetValues(name, run).includes(chosen.slice(1)));
  }
  shown = order.filter((run) => tests.every((test) => test(run)));
  const texts = TEXTS[language];
  const renames = shown.filter((run) => columns.status[run] === "rename").length;
  $("count").textContent = texts.count(number(shown.length), number(order.length), number(renames));
  $("nothing").hidden = shown.length > 0;
  $("download").disabled = shown.length === 0;
  $("download").textContent = texts.download(number(shown.length));
  $("table").setAttribute("aria-rowcount", shown.length + 1);
  $("rows").replaceChildren();
  draw(FIRST);
}

function sortBy(column) {
  sorting.direction = sorting.column === column ? -sorting.direction : 1;
  sorting.column = column;
  const rank = (status) => String(data.statuses.indexOf(status));
  const keys = columns[column].map((text) => (column === "status" ? rank(text) : text ?? ""));
  order.sort((a, b) => {
    if (keys[a] === keys[b]) return a - b;
    if (keys[a] === "" || keys[b] === "") return keys[a] === "" ? 1 : -1; // empty last, always
    return (keys[a] < keys[b] ? -1 : 1) * sorting.direction;
  });
  for (const button of document.querySelectorAll("[data-column]")) {
    const direction = sorting.direction > 0 ? "ascending" : "descending";
    const here = button.dataset.column === column;
    button.closest("th").setAttribute("aria-sort", here ? direction : "none");
  }
  filter();
}

// --- Rows ---------------------------------------------------------------------------------------

function element(tag, properties, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

// A name that may be broken after each `_`, and not within 1e-05.
function breakable(name) {
  const nodes = [];
  for (const part of visible(name).split(/(?<=_)/)) {
    const exponent = /^[\d.]+e-\d+_?$/.test(part);
    nodes.push(exponent ? element("span", { className: "whole" }, part) : part);
    if (part.endsWith("_")) nodes.push(element("wbr"));
  }
  return nodes;
}

// A name with the parts marked that the other has not got.
function nameLine(className, parts, mark) {
  const line = element("div", { className });
  parts.forEach((part, at) => {
    const nodes = breakable(part);
    line.append(...(at % 2 ? [element(mark, {}, ...nodes)] : nodes));
  });
  return line;
}

// The old name, and under it what becomes of it: the new name, or the reason why not.
function namesCell(run) {
  const old = nameLine("old", oldParts[run], "del");
  const cell = element("td", { className: "names", colSpan: 3 }, old);
  if (newParts[run]) {
    const copy = element("button", { type: "button", className: "copy" }, TEXTS[language].copy);
    copy.ariaLabel = TEXTS[language].copyName(visible(columns.new_name[run]));
    copy.dataset.run = run;
    const line = nameLine("new", newParts[run], "ins");
    line.append(copy);
    cell.append(line);
  } else {
    old.classList.add("kept");
    if (columns.reason[run]) {
      cell.append(element("div", { className: "why" }, visible(columns.reason[run])));
    }
  }
  return cell;
}

function runCell(run) {
  const id = visible(columns.run_id[run]);
  const href = columns.page[run];
  const ariaLabel = TEXTS[language].open(id);
  const link = { href, target: "_blank", rel: "noopener noreferrer", ariaLabel };
  const cell = element("td", { className: "c-run_id mono" }, href ? element("a", link, id) : id);
  if (data.several) {
    const project = visible(`${columns.entity[run]}/${columns.project[run]}`);
    cell.append(element("div", { className: "quiet" }, project));
  }
  return cell;
}

function makeRow(run) {
  const cell = (name, ...content) => element("td", { className: `c-${name}` }, ...content);
  const status = columns.status[run];
  const created = (columns.created_at[run] ?? "").slice(0, 16).replace("T", " ");
  const row = element(
    "tr",
    {},
    runCell(run),
    cell("created_at", created),
    cell("state", visible(columns.state[run])),
    cell("status", element("code", { className: `tag tag-${status}` }, status)),
    namesCell(run),
    cell("arch", ...breakable(columns.arch[run] ?? "")),
    cell("dataset", ...breakable(columns.dataset[run] ?? "")),
  );
  // In a narrow window rows are cards, and then browsers no longer report them as a table's.
  row.role = "row";
  for (const made of row.cells) made.role = "cell";
  return row;
}

// Put `count` of the shown runs into the page as rows, keeping those that are there already.
function draw(count) {
  const body = $("rows");
  while (body.rows.length > count) body.lastChild.remove();
  const added = document.createDocumentFragment();
  for (const run of shown.slice(body.rows.length, count)) added.append(makeRow(run));
  body.append(added);
  const hidden = shown.length - body.rows.length;
  $("more").hidden = hidden === 0;
  $("more").textContent = TEXTS[language].more(number(Math.min(CHUNK, hidden)));
}

// The focus goes to the first new row: reading goes on there, and the button may disappear.
function showMore() {
  const before = $("rows").rows.length;
  draw(before + CHUNK);
  const first = $("rows").rows[before];
  first.tabIndex = -1;
  first.focus({ preventScroll: true });
}

// --- Language, buttons, keys, paper -------------------------------------------------------------

function countValues(name) {
  const counts = new Map();
  for (const run of order) {
    for (const value of facetValues(name, run)) counts.set(value, (counts.get(value) || 0) + 1);
  }
  const rank = ([value]) => (name === "status" ? data.statuses.indexOf(value) : value === "");
  return [...counts].sort((a, b) => rank(a) - rank(b) || b[1] - a[1]);
}

const facets = Object.fromEntries(FACETS.map((name) => [name, countValues(name)]));

function speak(chosen) {
  language = chosen;
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  $("language").textContent = TEXTS[chosen].other;
  $("language").lang = chosen === "zh" ? "en" : "zh-CN";
  for (const name of FACETS) {
    const select = $(`f-${name}`);
    const { value: selected } = select;
    select.replaceChildren(element("option", { value: "" }, TEXTS[chosen].all));
    for (const [value, count] of facets[name]) {
      const meaning = data.words[value]?.[chosen === "zh" ? 1 : 0];
      const label = `${visible(value) || TEXTS[chosen].unknown} (${number(count)})`;
      const text = meaning ? `${label} · ${meaning}` : label;
      select.append(element("option", { value: `=${value}` }, text));
    }
    select.value = selected;
  }
  filter();
}

function clear() {
  for (const id of ["words", ...FACETS.map((name) => `f-${name}`)]) $(id).value = "";
  filter();
}

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Over http there is no clipboard: the old way.
    const area = element("textarea", { className: "unseen", value: text, readOnly: true });
    const focused = document.activeElement;
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused?.focus({ preventScroll: true });
    return done;
  }
}

async function copyFrom(button) {
  const done = await copy(columns.new_name[button.dataset.run]);
  $("announcement").textContent = done ? TEXTS[language].copied : TEXTS[language].refused;
  button.textContent = done ? TEXTS[language].copied : "✕";
  setTimeout(() => (button.textContent = TEXTS[language].copy), 1500);
}

function download() {
  const runs = shown.slice().sort((a, b) => a - b); // the order of a plan, not of the table
  const href = URL.createObjectURL(new Blob([csv(runs)], { type: "text/csv;charset=utf-8" }));
  element("a", { href, download: "rsst-plan.csv" }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60000);
}

function onKey(event) {
  const typing = event.target.closest("input, select, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    $("words").focus();
  } else if (event.key === "Escape") clear();
}

let onScreen = 0; // rows
addEventListener("beforeprint", () => {
  onScreen = $("rows").rows.length;
  draw(PRINTED);
  $("print-note").hidden = shown.length <= PRINTED;
  $("print-note").textContent = TEXTS[language].printed(number(PRINTED), number(shown.length));
});
addEventListener("afterprint", () => {
  draw(onScreen);
  $("print-note").hidden = true;
});
addEventListener("keydown", onKey);
for (const button of document.querySelectorAll("[data-column]")) {
  button.addEventListener("click", () => sortBy(button.dataset.column));
}
for (const name of FACETS) $(`f-${name}`).addEventListener("change", filter);
$("words").addEventListener("input", filter);
$("rows").addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copyFrom(button);
});
$("clear").addEventListener("click", clear);
$("download").addEventListener("click", download);
$("language").addEventListener("click", () => speak(language === "zh" ? "en" : "zh"));
$("more").addEventListener("click", showMore);

$("runs").hidden = $("language").hidden = false;
speak(language);
setTimeout(searchable, 200); // so that the first key pressed need not wait for it
