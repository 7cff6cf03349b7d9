// The table of runs. Values are shown by textContent alone: nothing here makes markup of data.
// A run is a number: its place in every column.

// How many rows are put into the page: at first, after every key pressed in the search, few enough
// to appear without a wait; then as many more as people ask for.
const FIRST = 100;
const CHUNK = 500;
const PRINTED = 5000; // of 20,000, a thousand pages, Chromium prints none: "Printing failed"
const FACETS = ["status", "reason", "family", "arch", "dataset"];
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

// Every text is as it is shown: what cannot be seen in it is spelled out.
const data = JSON.parse($("data").textContent);
const columns = {}; // column → a text for each run, or null
for (const [name, packed] of Object.entries(data.columns)) {
  columns[name] = Array.isArray(packed) ? packed : packed.at.map((at) => packed.values[at]);
}
// Names come in pieces: a text, or a text with whether the other name has not got it, and the rule
// that supplied it.
const { old_name: oldPieces, new_name: newPieces } = columns;
const whole = (pieces) => pieces && pieces.map((piece) => [piece].flat()[0]).join("");
columns.old_name = oldPieces.map(whole);
columns.new_name = newPieces.map(whole);

// A reason or a rule, in the page's language; any other text, even "constructor", as it is.
const chinese = new Map(Object.entries(data.chinese));
const said = (text) => (language === "zh" && chinese.get(text)) || text;

// Byte for byte the file of `-o plan.csv`: Python wrote the cells that are not the text itself.
function csv(runs) {
  const cell = (name, run) => data.cells[name][run] ?? columns[name][run] ?? "";
  const quote = (text) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
  const lines = runs.map((run) => data.csv.map((name) => quote(cell(name, run))).join(","));
  return `\ufeff${[data.csv.join(","), ...lines].join("\r\n")}\r\n`;
}

// --- Which runs, in which order -----------------------------------------------------------------

const order = columns.run_id.map((_, run) => run);
const sorting = { column: null, direction: 1 };
let shown = order; // the runs that pass the filters, sorted

// What the search looks in, a text for each run.
const searched = order.map((run) => {
  const names = ["old_name", "new_name", "run_id", "arch", "dataset", "state", "status"];
  if (data.several) names.push("entity", "project");
  const clauses = [...columns.reasons[run], ...columns.rules[run]];
  const texts = [...clauses, ...clauses.map((text) => chinese.get(text))];
  return [...names.map((name) => columns[name][run]), ...texts].join(" \n ").toLowerCase();
});

// What a run counts as in a filter, each once: a run may have several reasons, some of which are
// their code alone; "?" is not known.
function facetValues(name, run) {
  if (name === "reason") return [...new Set([...columns.codes[run], ...columns.reasons[run]])];
  return [columns[name][run] || "?"];
}

function test([name, value]) {
  if (name !== "words") return (run) => facetValues(name, run).includes(value);
  const words = value.toLowerCase().split(/\s+/);
  return (run) => words.every((word) => searched[run].includes(word));
}

function filter() {
  const chosen = [...new FormData($("filters"))].filter(([, value]) => value);
  const tests = chosen.map(test);
  shown = order.filter((run) => tests.every((passes) => passes(run)));
  const texts = TEXTS[language];
  const renames = shown.filter((run) => columns.status[run] === "rename").length;
  $("count").textContent = texts.count(number(shown.length), number(order.length), number(renames));
  $("nothing").hidden = shown.length > 0;
  $("download").disabled = shown.length === 0;
  $("download").textContent = texts.download(number(shown.length));
  $("table").setAttribute("aria-rowcount", shown.length + 1);
  $("rows").replaceChildren();
  draw(FIRST);
  writeAddress(new URLSearchParams(chosen));
}

// The filters stand in the address, as in the links of the charts: #arch=res18&dataset=imagenet
function writeAddress(chosen) {
  try {
    history.replaceState(null, "", `#${chosen}`);
  } catch {} // a page within a page has no address of its own
  for (const link of document.querySelectorAll("a[href^='#']")) {
    const same = String(new URLSearchParams(link.hash.slice(1))) === String(chosen);
    link.setAttribute("aria-current", same);
  }
}

function readAddress(address) {
  const asked = new URLSearchParams(address.slice(1));
  for (const field of $("filters").elements) {
    field.value = asked.get(field.name) ?? "";
    if (field.selectedIndex === -1) field.value = ""; // there is no such value here
  }
  filter();
  if (address.length > 1) $("runs").scrollIntoView();
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
  for (const part of name.split(/(?<=_)/)) {
    const exponent = /^[\d.]+e-\d+_?$/.test(part);
    nodes.push(exponent ? element("span", { className: "whole" }, part) : part);
    if (part.endsWith("_")) nodes.push(element("wbr"));
  }
  return nodes;
}

// A name with the pieces marked that the other has not got, and those that a rule supplied.
function nameLine(className, pieces, mark, run) {
  const line = element("span", { className });
  for (const piece of pieces) {
    const [text, own, rule] = [piece].flat();
    const nodes = breakable(text);
    if (rule) {
      const marked = element(own ? mark : "span", { className: "settled", title: said(rule) }, ...nodes);
      marked.setAttribute("aria-describedby", `rules-${run}`);
      line.append(marked);
    } else line.append(...(own ? [element(mark, {}, ...nodes)] : nodes));
  }
  return line;
}

// The old name, and under it the new name, or the reason why not.
function namesCell(run) {
  const old = nameLine("old", oldPieces[run], "del", run);
  const cell = element("td", { className: "names", colSpan: 3 }, old);
  const add = (className, clauses, id) => {
    const text = clauses.map(said).join(language === "zh" ? "；" : "; ");
    if (text) cell.append(element("div", { className, id }, text));
  };
  if (newPieces[run]) {
    const copy = element("button", { type: "button", className: "copy" }, TEXTS[language].copy);
    copy.ariaLabel = TEXTS[language].copyName(columns.new_name[run]);
    copy.dataset.run = run;
    cell.append(element("div", { className: "new" }, nameLine("", newPieces[run], "ins", run), copy));
  } else {
    old.classList.add("kept");
    add("why", columns.reasons[run], "");
  }
  add("why rules", columns.rules[run], `rules-${run}`);
  return cell;
}

function runCell(run) {
  const id = columns.run_id[run];
  const href = columns.page[run];
  const ariaLabel = TEXTS[language].open(id);
  const link = { href, target: "_blank", rel: "noopener noreferrer", ariaLabel };
  const cell = element("td", { className: "c-run_id mono" }, href ? element("a", link, id) : id);
  if (data.several) {
    const project = `${columns.entity[run]}/${columns.project[run]}`;
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
    cell("state", columns.state[run]),
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
  const rank = ([value]) => (name === "status" ? data.statuses.indexOf(value) : value === "?");
  // Codes, then the reasons with each code: both most frequent first.
  const code = ([value]) => (name === "reason" ? value in data.words : true);
  return [...counts].sort((a, b) => rank(a) - rank(b) || code(b) - code(a) || b[1] - a[1]);
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
      const label = `${value === "?" ? TEXTS[chosen].unknown : said(value)} (${number(count)})`;
      const text = meaning ? `${label} · ${meaning}` : label;
      select.append(element("option", { value }, text));
    }
    select.value = selected;
  }
  filter();
}

function clear() {
  $("filters").reset();
  filter();
}

async function copyFrom(button) {
  let done = true;
  try {
    await navigator.clipboard.writeText(columns.new_name[button.dataset.run]);
  } catch { // over http there is no clipboard: the old way takes what is selected
    getSelection().selectAllChildren(button.previousSibling);
    done = document.execCommand("copy");
  }
  const texts = TEXTS[language];
  $("announcement").textContent = done ? texts.copied : texts.refused;
  button.textContent = done ? texts.copied : "✕";
  setTimeout(() => (button.textContent = texts.copy), 1500);
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

addEventListener("beforeprint", () => {
  draw(PRINTED);
  $("print-note").hidden = shown.length <= PRINTED;
  $("print-note").textContent = TEXTS[language].printed(number(PRINTED), number(shown.length));
});
addEventListener("afterprint", () => {
  filter();
  $("print-note").hidden = true;
});
addEventListener("keydown", onKey);
for (const button of document.querySelectorAll("[data-column]")) {
  button.addEventListener("click", () => sortBy(button.dataset.column));
}
addEventListener("hashchange", () => readAddress(location.hash));
addEventListener("click", (event) => {
  if (event.target.closest("a[aria-current=true]")) { // once more: all runs again
    event.preventDefault();
    clear();
  }
});
$("filters").addEventListener("input", filter);
$("filters").addEventListener("submit", (event) => event.preventDefault());
$("rows").addEventListener("click", (event) => {
  const button = event.target.closest("button.copy");
  if (button) copyFrom(button);
});
$("clear").addEventListener("click", clear);
$("download").addEventListener("click", download);
$("language").addEventListener("click", () => speak(language === "zh" ? "en" : "zh"));
$("more").addEventListener("click", showMore);

$("runs").hidden = $("language").hidden = false;
const linked = location.hash; // before it is written
speak(language);
readAddress(linked);
