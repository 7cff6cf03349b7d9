"use strict";
// Texts and nothing else: what `report.js` needs of Python's functions, and of a diff. Pure.

// A value is text, null, or a list of one text where it was no text in Python (see html.py).
const textOf = (value) => (value === null ? "" : Array.isArray(value) ? value[0] : value);

// As `migrate.text.visible`; with the u flag, only halves of pairs count as surrogates.
const UNSEEN = new RegExp(
  "[\\0-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff" +
    "\\ufff9-\\ufffb\\ud800-\\udfff\\u{e0000}-\\u{e007f}]",
  "gu",
);
const SHORT = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };
function spelled(mark) {
  const code = mark.codePointAt(0);
  const hex = (width) => code.toString(16).padStart(width, "0");
  if (SHORT[mark]) return SHORT[mark];
  return code < 0x100 ? `\\x${hex(2)}` : code < 0x10000 ? `\\u${hex(4)}` : `\\U${hex(8)}`;
}
const visible = (text) => text.replace(UNSEEN, spelled);

// As `migrate.text.csv_cell`, and then as Python's csv module.
const ACTS = new RegExp(
  "^(?:[=+\\-@\\t\\r]|(?:true|false)\\n?$|(?=\\D*\\d)(?:[0-9 \\t\\n\\xa0.,:/%$€£¥()e'+-]|jan(?:uary)?" +
    "|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|jun|july?|aug(?:ust)?|sep(?:t(?:ember)?)?" +
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?|am|pm)+$)",
  "i",
);
function csvCell(value) {
  const text = textOf(value);
  const guarded = typeof value === "string" && ACTS.test(text.replace(/^'+/, ""));
  const cell = (guarded ? `'${text}` : text).replace(/[\ud800-\udfff]/gu, spelled);
  return /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}

// As Python's urllib.parse.quote(text, safe=""); null where the text has no place in a URL.
function quoted(text) {
  try {
    const hex = (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`;
    return encodeURIComponent(text).replace(/[!'()*]/g, hex);
  } catch {
    return null;
  }
}

// Which parts of two names are not in the other: a longest common subsequence, in which words
// weigh more than the `_` between them. A `_` between two differing parts differs as well.
function differing(a, b) {
  const marks = [a.map(() => true), b.map(() => true)];
  if (a.length * b.length > 40000) return marks;
  const wide = b.length + 1;
  const best = new Uint16Array((a.length + 1) * wide);
  const weight = (i, j) => (a[i] !== b[j] ? 0 : a[i] === "_" ? 1 : 4);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const both = weight(i, j) && weight(i, j) + best[(i + 1) * wide + j + 1];
      best[i * wide + j] = Math.max(both, best[(i + 1) * wide + j], best[i * wide + j + 1]);
    }
  }
  for (let i = 0, j = 0; i < a.length && j < b.length; ) {
    const gain = weight(i, j);
    if (gain && best[i * wide + j] === gain + best[(i + 1) * wide + j + 1]) {
      marks[0][i++] = marks[1][j++] = false;
    } else if (best[(i + 1) * wide + j] >= best[i * wide + j + 1]) i++;
    else j++;
  }
  for (const [parts, mark] of [[a, marks[0]], [b, marks[1]]]) {
    for (let i = 1; i < parts.length - 1; i++) {
      if (parts[i] === "_" && mark[i - 1] && mark[i + 1]) mark[i] = true;
    }
  }
  return marks;
}
