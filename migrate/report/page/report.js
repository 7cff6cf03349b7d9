// The table of runs. Values are shown by textContent alone: nothing here makes markup of data.
// Rows are numbers into columns; the page has the rows that can be seen, and a few around them.
(() => {
  const $ = (id) => document.getElementById(id);
  const data = JSON.parse($("data").textContent);
  const RUNS = data.runs;
  const PRINTED = 2000; // rows on paper; more is a book
  const AROUND = 500; // pixels of rows above and below what can be seen

  const TEXTS = {
    en: {
      other: "中文",
      all: "all",
      none: "unknown",
      count: (n, of, renames) => `${n} of ${of} runs · ${renames} to rename`,
      copy: "Copy",
      copied: "Copied",
      refused: "The browser does not let this page copy.",
      open: (name) => `${name} on W&B (opens a new tab)`,
      copyName: (name) => `Copy the new name ${name}`,
      printed: (n, of) => `The first ${n} of these ${of} rows are printed.`,
    },
    zh: {
      other: "English",
      all: "全部",
      none: "未知",
      count: (n, of, renames) => `${n} / ${of} 个实验 · ${renames} 个待改名`,
      copy: "复制",
      copied: "已复制",
      refused: "浏览器不允许此页面复制。",
      open: (name) => `在 W&B 中打开 ${name}（新标签页）`,
      copyName: (name) => `复制新名称 ${name}`,
      printed: (n, of) => `共 ${of} 行，此处打印前 ${n} 行。`,
    },
  };
  const preferred = navigator.languages.find((one) => /^(en|zh)\b/i.test(one)) || "en";
  let language = preferred.slice(0, 2).toLowerCase();
  const number = (n) => n.toLocaleString("en");

  // --- The data ---------------------------------------------------------------------------------

  const columns = {};
  for (const [name, packed] of Object.entries(data.columns)) {
    columns[name] = Array.isArray(packed) ? packed : packed.at.map((at) => packed.values[at]);
  }

  // Byte for byte the file of `-o plan.csv`.
  function csv(rows) {
    const used = data.csv.map((name) => columns[name]);
    const lines = [data.csv.join(",")];
    for (const row of rows) lines.push(used.map((column) => csvCell(column[row])).join(","));
    return `\ufeff${lines.join("\r\n")}\r\n`;
  }

  // --- Which rows, in which order ---------------------------------------------------------------

  const FACETS = ["status", "codes", "family", "dataset"];
  const order = Array.from({ length: RUNS }, (_, row) => row);
  const sorting = { column: null, direction: 1 };
  let haystacks = null; // what the search looks in, a text a row
  let shown = order;

  function haystack() {
    const names = ["old_name", "new_name", "run_id", "reason", "arch", "dataset", "state", "status"];
    if (data.several) names.push("entity", "project");
    const used = names.map((name) => columns[name]);
    haystacks ??= order.map((_, row) =>
      visible(used.map((column) => textOf(column[row])).join(" \n ")).toLowerCase(),
    );
    return haystacks;
  }

  function choose() {
    const words = visible($("words").value).toLowerCase().split(/\s+/).filter(Boolean);
    const texts = words.length ? haystack() : null;
    const tests = [];
    for (const name of FACETS) {
      const chosen = $(`f-${name}`).value; // "" is all, "-" not known, "=x" the value x
      if (!chosen) continue;
      const wanted = chosen.slice(1);
      const column = columns[name];
      if (chosen === "-") tests.push((row) => !textOf(column[row]));
      else if (name === "codes") tests.push((row) => column[row].includes(wanted));
      else tests.push((row) => column[row] !== null && textOf(column[row]) === wanted);
    }
    for (const word of words) tests.push((row) => texts[row].includes(word));
    shown = tests.length ? order.filter((row) => tests.every((test) => test(row))) : order.slice();
    layout();
    render();
    const renames = shown.reduce((sum, row) => sum + (columns.status[row] === "rename"), 0);
    $("count").textContent = TEXTS[language].count(number(shown.length), number(RUNS), number(renames));
    $("nothing").hidden = shown.length > 0;
    $("download").disabled = shown.length === 0;
  }

  function sortBy(column) {
    sorting.direction = sorting.column === column ? -sorting.direction : 1;
    sorting.column = column;
    const rank = (value) => String(data.statuses.indexOf(value));
    const keys = columns[column].map(column === "status" ? rank : textOf);
    order.sort((a, b) => {
      if (keys[a] === keys[b]) return a - b;
      if (keys[a] === "" || keys[b] === "") return keys[a] === "" ? 1 : -1; // empty last, always
      return (keys[a] < keys[b] ? -1 : 1) * sorting.direction;
    });
    for (const button of document.querySelectorAll("[data-column]")) {
      const up = sorting.direction > 0 ? "ascending" : "descending";
      const here = button.dataset.column === column;
      button.closest("th").setAttribute("aria-sort", here ? up : "none");
    }
    choose();
  }

  // --- One row ----------------------------------------------------------------------------------

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  // A name that can be broken behind each `_`, and not within 1e-05; runs of marked parts stand in
  // a `tag`.
  function nameLine(className, parts, marks, tag) {
    const line = element("div", { className });
    let inside = line;
    parts.forEach((part, i) => {
      if (marks[i] !== marks[i - 1]) {
        inside = marks[i] ? line.appendChild(document.createElement(tag)) : line;
      }
      const exponent = /^[\d.]+e-\d+$/.test(part);
      inside.append(exponent ? element("span", { className: "whole" }, part) : part);
      if (part === "_") inside.append(document.createElement("wbr"));
    });
    return line;
  }

  // The old name, and under it what is to become of it: the new name, or the reason why not.
  const split = (name) => visible(name).match(/[^_]+|_/g) || [];
  function names(row) {
    const old = split(columns.old_name[row]);
    const renamed = columns.new_name[row];
    const cell = element("td", { className: "names", colSpan: 3 });
    if (renamed === null) {
      cell.append(nameLine("old kept", old, []));
      if (columns.reason[row]) {
        cell.append(element("div", { className: "why" }, visible(columns.reason[row])));
      }
      return cell;
    }
    const fresh = split(renamed);
    const [gone, added] = differing(old, fresh);
    const copy = element("button", { type: "button", className: "copy" }, TEXTS[language].copy);
    copy.setAttribute("aria-label", TEXTS[language].copyName(visible(renamed)));
    copy.dataset.row = row;
    const line = nameLine("new", fresh, added, "ins");
    line.append(copy);
    cell.append(nameLine("old", old, gone, "del"), line);
    return cell;
  }

  function runCell(row) {
    const id = columns.run_id[row];
    const page = columns.page[row] && quoted(id) ? `${columns.page[row]}/runs/${quoted(id)}` : null;
    const text = visible(id);
    const link = { href: page, target: "_blank", rel: "noopener noreferrer" };
    const shownId = page ? element("a", link, text) : element("span", {}, text);
    if (page) shownId.setAttribute("aria-label", TEXTS[language].open(text));
    const cell = element("td", { className: "c-run_id mono" }, shownId);
    if (data.several) {
      const project = visible(`${columns.entity[row]}/${columns.project[row]}`);
      cell.append(element("div", { className: "quiet" }, project));
    }
    return cell;
  }

  function makeRow(row) {
    const plain = (name, text) =>
      element("td", { className: `c-${name}` }, visible(text ?? textOf(columns[name][row])));
    const word = (name) =>
      element("td", { className: `c-${name}` }, nameLine("", split(textOf(columns[name][row])), []));
    const status = columns.status[row];
    const created = textOf(columns.created_at[row]).slice(0, 16).replace("T", " ");
    const badge = element("code", { className: `tag tag-${status}` }, status);
    const made = element(
      "tr",
      {},
      runCell(row),
      plain("created_at", created),
      plain("state"),
      element("td", { className: "c-status" }, badge),
      names(row),
      word("arch"),
      word("dataset"),
    );
    made.setAttribute("role", "row");
    for (const cell of made.cells) cell.setAttribute("role", "cell");
    return made;
  }

  // --- The window over the rows -----------------------------------------------------------------

  const body = $("rows");
  const [above, below] = [0, 1].map(() => {
    const spacer = element("tr", { className: "space" }, element("td", { colSpan: 9 }));
    spacer.setAttribute("aria-hidden", "true");
    return body.appendChild(spacer);
  });
  const live = new Map(); // row → its <tr>
  const heights = new Float32Array(RUNS); // as measured; 0 is not yet
  const guesses = [0, 0]; // for rows without and with a new name: the mean of the first measured
  const renamed = columns.new_name.map((name) => (name === null ? 0 : 1));
  let offsets = new Float64Array(1); // where each shown row begins, and where the last one ends
  let printing = false;

  function layout() {
    if (offsets.length !== shown.length + 1) offsets = new Float64Array(shown.length + 1);
    shown.forEach((row, at) => {
      offsets[at + 1] = offsets[at] + (heights[row] || guesses[renamed[row]] || 48);
    });
  }

  function rowAt(y) {
    let low = 0;
    let high = shown.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (offsets[middle + 1] < y) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  function render(again = 3) {
    const top = -body.getBoundingClientRect().top;
    const from = printing ? 0 : rowAt(top - AROUND);
    const last = printing ? PRINTED : rowAt(top + innerHeight + AROUND) + 1;
    const to = Math.min(shown.length, last);
    const wanted = new Set(shown.slice(from, to));
    for (const [row, made] of live) {
      if (!wanted.has(row)) {
        made.remove();
        live.delete(row);
      }
    }
    let next = above.nextSibling;
    for (let at = from; at < to; at++) {
      const row = shown[at];
      if (!live.has(row)) live.set(row, makeRow(row));
      const made = live.get(row);
      made.setAttribute("aria-rowindex", at + 2);
      if (made === next) next = next.nextSibling;
      else body.insertBefore(made, next);
    }
    $("table").setAttribute("aria-rowcount", shown.length + 1);
    space(from, to);
    if (printing) return;
    let changed = false;
    const sums = [[], []];
    for (const [row, made] of live) {
      const height = made.getBoundingClientRect().height;
      sums[renamed[row]].push(height);
      if (Math.abs(height - heights[row]) > 0.1) {
        heights[row] = height;
        changed = true;
      }
    }
    for (const kind of [0, 1]) {
      const mean = sums[kind].reduce((sum, height) => sum + height, 0) / sums[kind].length;
      if (!guesses[kind] && mean) guesses[kind] = mean;
    }
    if (!changed) return;
    layout();
    space(from, to);
    const short = offsets[to] < -body.getBoundingClientRect().top + innerHeight;
    if (again && short && to < shown.length) render(again - 1);
  }

  function space(from, to) {
    above.firstChild.style.height = `${printing ? 0 : offsets[from]}px`;
    below.firstChild.style.height = `${printing ? 0 : offsets[shown.length] - offsets[to]}px`;
    above.hidden = from === 0;
    below.hidden = to === shown.length || printing;
  }

  function print(starts) {
    printing = starts;
    $("print-note").hidden = !starts || shown.length <= PRINTED;
    $("print-note").textContent = TEXTS[language].printed(number(PRINTED), number(shown.length));
    render();
  }

  // --- Language, filters, buttons ---------------------------------------------------------------

  function options(name) {
    const counts = new Map();
    for (const value of columns[name]) {
      const values = name === "codes" ? value : [textOf(value)];
      for (const one of values) counts.set(one, (counts.get(one) || 0) + 1);
    }
    const rank = ([value]) => (name === "status" ? data.statuses.indexOf(value) : value === "");
    return [...counts].sort((a, b) => rank(a) - rank(b) || b[1] - a[1]);
  }

  const facets = Object.fromEntries(FACETS.map((name) => [name, options(name)]));

  function speak(chosen) {
    language = chosen;
    document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
    $("language").textContent = TEXTS[chosen].other;
    $("language").lang = chosen === "zh" ? "en" : "zh-CN";
    for (const name of FACETS) {
      const select = $(`f-${name}`);
      const { value } = select;
      select.replaceChildren(element("option", { value: "" }, TEXTS[chosen].all));
      for (const [one, count] of facets[name]) {
        const meaning = data.words[one]?.[chosen === "zh" ? 1 : 0];
        const label = one === "" ? TEXTS[chosen].none : visible(one);
        const text = `${label} (${number(count)})${meaning ? ` · ${meaning}` : ""}`;
        select.append(element("option", { value: one === "" ? "-" : `=${one}` }, text));
      }
      select.value = value;
    }
    forget();
    choose();
  }

  function forget() {
    for (const made of live.values()) made.remove();
    live.clear();
    heights.fill(0);
    guesses.fill(0);
  }

  function clear() {
    $("words").value = "";
    for (const name of FACETS) $(`f-${name}`).value = "";
    choose();
  }

  async function copy(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // A page from a file or over http: the old way.
      const area = element("textarea", { className: "said", value: text, readOnly: true });
      const focused = document.activeElement;
      document.body.append(area);
      area.select();
      const done = document.execCommand("copy");
      area.remove();
      focused?.focus({ preventScroll: true });
      return done;
    }
  }

  function download() {
    const rows = shown.slice().sort((a, b) => a - b);
    const href = URL.createObjectURL(new Blob([csv(rows)], { type: "text/csv;charset=utf-8" }));
    element("a", { href, download: "rsst-plan.csv" }).click();
    setTimeout(() => URL.revokeObjectURL(href), 60000);
  }

  const topOf = (made) => made.getBoundingClientRect().top;
  let waiting = false;
  function soon() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      // What is being read keeps its place, though rows above it are measured only now.
      const seen = (made) => made.getBoundingClientRect().bottom > 0;
      const read = [...live.values()].filter(seen).map((made) => [made, topOf(made)]);
      render();
      const [held, before] = read.find(([made]) => made.isConnected) || [];
      const moved = held ? topOf(held) - before : 0;
      if (Math.abs(moved) > 0.5) scrollBy(0, moved);
    });
  }

  body.addEventListener("click", async (event) => {
    const button = event.target.closest("button.copy");
    if (!button) return;
    const done = await copy(columns.new_name[button.dataset.row]);
    $("said").textContent = done ? TEXTS[language].copied : TEXTS[language].refused;
    button.textContent = done ? TEXTS[language].copied : "✕";
    setTimeout(() => (button.textContent = TEXTS[language].copy), 1500);
  });
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      $("words").focus();
    } else if (event.key === "Escape") clear();
  });
  for (const button of document.querySelectorAll("[data-column]")) {
    button.addEventListener("click", () => sortBy(button.dataset.column));
  }
  for (const name of FACETS) $(`f-${name}`).addEventListener("change", choose);
  $("words").addEventListener("input", choose);
  $("clear").addEventListener("click", clear);
  $("download").addEventListener("click", download);
  $("language").addEventListener("click", () => speak(language === "zh" ? "en" : "zh"));
  addEventListener("scroll", soon, { passive: true });
  addEventListener("beforeprint", () => print(true));
  addEventListener("afterprint", () => print(false));
  let width = 0;
  new ResizeObserver(([entry]) => {
    if (entry.contentRect.width === width || printing) return;
    width = entry.contentRect.width;
    forget();
    layout();
    soon();
  }).observe($("table"));

  $("runs").hidden = $("language").hidden = false;
  speak(language);
  setTimeout(haystack, 200); // so that the first key pressed need not wait for it
})();
