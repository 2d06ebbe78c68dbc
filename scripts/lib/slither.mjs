// Holds slither's findings against their explanations: slither.mjs EXPLANATIONS FOUND. A line of EXPLANATIONS is
// `detector | where | why it is no problem`; all findings of one detector in one function are one, and `*` is everywhere.
import { existsSync, readFileSync } from "node:fs";

const [explanationsFile, foundFile] = process.argv.slice(2);
const document = readFileSync(new URL("../../docs/security.md", import.meta.url), "utf8");
const explained = new Set();
let problems = 0;
for (const line of readFileSync(explanationsFile, "utf8").split("\n")) {
  if (line.trim() === "" || line.startsWith("#")) continue;
  const [detector, where, why] = line.split("|").map((part) => part.trim());
  if (!why) throw new Error(`not an explanation: ${line}`);
  if (!document.includes(`| ${line} |`)) {
    ++problems;
    console.error(`error: not in docs/security.md: ${line}`);
  }
  for (const place of where.split(",")) explained.add(`${detector} | ${place.trim()}`);
}
const found = existsSync(foundFile) ? JSON.parse(readFileSync(foundFile, "utf8")) : { success: false };
if (!found.success) {
  console.error(`error: slither did not run${found.error ? `: ${found.error}` : ""}`);
  process.exit(1);
}

// `Contract.function`, `Contract.variable`, `Contract`, or a file.
function place(element) {
  const { name, type, type_specific_fields: more, source_mapping: source } = element;
  if (type === "node") return place(more.parent);
  if (type === "contract") return name;
  if (more?.parent?.type === "contract") return `${more.parent.name}.${name}`;
  return source.filename_relative.replace(/^src\//, "");
}
const findings = new Map();
for (const d of found.results.detectors ?? []) {
  const key = `${d.check} | ${d.elements.length ? place(d.elements[0]) : "everywhere"}`;
  findings.set(key, [...(findings.get(key) ?? []), `${d.impact}: ${d.description.trim().split("\n")[0]}`]);
}
const matched = new Set();
for (const [key, texts] of findings) {
  const hits = [key, key.replace(/\|.*/, "| *")].filter((k) => explained.has(k));
  for (const hit of hits) matched.add(hit);
  if (hits.length > 0) continue;
  ++problems;
  console.error(`error: not explained: ${key}\n${texts.map((t) => `    ${t}`).join("\n")}`);
}
for (const key of explained) {
  if (matched.has(key)) continue;
  ++problems;
  console.error(`error: explains nothing that is found: ${key}`);
}
const total = [...findings.values()].reduce((sum, texts) => sum + texts.length, 0);
console.log(`slither: ${total} findings in ${findings.size} places, ${problems} problems`);
process.exit(problems === 0 ? 0 : 1);
