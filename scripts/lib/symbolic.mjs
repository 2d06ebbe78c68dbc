// Judges a run of halmos: symbolic.mjs OUT RESULTS STATUS SOME. OUT holds the artifacts, from which it knows what should have run;
// STATUS is halmos' exit code; with SOME other than 0 only part of it was asked for.
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

const [out, resultsFile, status, some] = process.argv.slice(2);
const WHY = ["", "counterexample", "timeout", "stuck", "every path reverts", "exception"];
const [PASS, COUNTEREXAMPLE] = [0, 1];
const problems = [];

const expected = new Set();
for (const file of readdirSync(out).filter((f) => f.startsWith("Symbolic"))) {
  for (const artifact of readdirSync(join(out, file)).filter((f) => f.endsWith(".json"))) {
    const { bytecode, methodIdentifiers = {} } = JSON.parse(readFileSync(join(out, file, artifact), "utf8"));
    if (bytecode.object.length <= 2) continue;
    for (const name of Object.keys(methodIdentifiers)) {
      if (/^(check|reach)_/.test(name)) expected.add(`${basename(artifact, ".json")} ${name.split("(")[0]}`);
    }
  }
}
if (!existsSync(resultsFile)) problems.push("halmos wrote no results");
const results = existsSync(resultsFile) ? JSON.parse(readFileSync(resultsFile, "utf8")).test_results : {};

let proved = 0;
let reached = 0;
for (const [path, tests] of Object.entries(results)) {
  const contract = path.split(":").pop();
  for (const t of tests) {
    const name = `${contract} ${t.name.split("(")[0]}`;
    expected.delete(name);
    const isCheck = t.name.startsWith("check_");
    if (isCheck && t.exitcode !== PASS) problems.push(`${name}: ${WHY[t.exitcode] ?? t.exitcode}`);
    else if (isCheck && t.num_bounded_loops !== 0) problems.push(`${name}: a loop was not followed to its end`);
    else if (!isCheck && t.exitcode !== COUNTEREXAMPLE) problems.push(`${name}: what its check speaks of never happens`);
    else if (isCheck) {
      ++proved;
      console.log(`proved   ${name} (${t.num_paths[0]} paths, ${t.time[0].toFixed(1)} s)`);
    } else ++reached;
  }
}
if (some === "0") for (const name of expected) problems.push(`${name}: did not run`);
// The twins fail, so halmos ends with 1 where all is well; anything else is its own failure.
if (Number(status) !== (reached === 0 ? 0 : 1)) problems.push(`halmos ended with ${status}`);
if (proved === 0) problems.push("nothing was proved");
for (const p of problems) console.error(`error: ${p}`);
console.log(`symbolic: ${proved} proved, ${reached} shown to be reached, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
