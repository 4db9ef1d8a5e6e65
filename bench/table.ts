/**
 * Figures as a table.
 *
 * @module
 */

import type { Aim, Contender, Quartiles, Result } from "./run.ts";

const heads = ["", "C", "plain JS", "this", "compared", "aim", ""];

/** The table, a line for each result, and what it means. */
export function table(results: readonly Result[]): string {
  const rows = [heads, ...results.map(row)];
  const widths = heads.map((_, column) => Math.max(...rows.map((cells) => cells[column]!.length)));
  const lines = rows.map((cells) =>
    cells.map((cell, column) =>
      column === 0 || column === cells.length - 1
        ? cell.padEnd(widths[column]!)
        : cell.padStart(widths[column]!)
    ).join("  ").trimEnd()
  );
  return `${lines.join("\n")}

Medians; in brackets the middle half. Figures are of one operation. "compared" is the median over
neighbouring turns: a ratio (x) or a difference (+) to the one that the aim names. Plain JavaScript
is a DataView or typed array for memory and structs, an object allocated each time for the heap (to
show that it is seen), an empty script for the startup.
`;
}

function row(result: Result): string[] {
  const { name, unit, figures, aim, reached } = result;
  const figure = (contender: Contender) => {
    const quartiles = figures[contender];
    return quartiles === undefined ? "" : `${amount(quartiles.median)} ${unit}`;
  };
  return [
    name,
    figure("c"),
    figure("plain"),
    figure("kvm"),
    compared(result),
    aim === undefined ? "" : describe(aim, unit),
    reached === undefined ? "" : reached ? "reached" : "MISSED",
  ];
}

function compared({ aim, ratio, difference }: Result): string {
  const show = (sign: string, { low, median, high }: Quartiles, digits?: number) =>
    `${sign}${amount(median, digits)} [${amount(low, digits)}, ${amount(high, digits)}]`;
  if (aim?.of === "difference" && difference !== undefined) return show("+", difference);
  if (aim?.of === "ratio" && ratio !== undefined) return show("x", ratio, 3);
  return "";
}

function describe({ of, to, atMost }: Aim, unit: string): string {
  const whom = to === "c" ? "C" : "plain JS";
  switch (of) {
    case "value":
      return `at most ${atMost} ${unit}`;
    case "ratio":
      return `at most ${atMost} x ${whom}`;
    case "difference":
      return `at most ${whom} + ${atMost} ${unit}`;
  }
}

/** Three significant digits, or fixed ones. */
function amount(value: number, digits?: number): string {
  if (digits !== undefined) return value.toFixed(digits);
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
