// Reads a value out of JSON for shell scripts: node json.mjs SOURCE PATH. SOURCE is a URL or - for standard input; PATH is like
// data.0.block.number. An amount is written in whole units. With `text NAME`, reads a name's value from a command's table.
import { readFileSync } from "node:fs";

const [source, ...path] = process.argv.slice(2);

function units({ raw, decimals, symbol }) {
  const digits = raw.padStart(decimals + 1, "0");
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  const whole = digits.slice(0, digits.length - decimals);
  return `${whole}${decimals > 0 && fraction ? "." + fraction : ""} ${symbol}`;
}

if (path[0] === "text") {
  const line = readFileSync(source, "utf8").split("\n").find((l) => l.trim().startsWith(path[1]));
  console.log(line.trim().split(/\s+/).at(-1));
} else {
  let text;
  if (source === "-") {
    text = readFileSync(0, "utf8");
  } else {
    const answer = await fetch(source);
    text = await answer.text();
    if (!answer.ok) {
      console.error(`error: ${source} answered ${answer.status}: ${text}`);
      process.exit(1);
    }
  }
  let value = JSON.parse(text);
  for (const key of path[0].split(".")) value = value?.[key];
  console.log(value?.raw === undefined ? value : units(value));
}
