// The work of scripts/mutation. Forge compiles everything once; after that a worker compiles only what holds the mutant's code,
// with a compiler that stays loaded, and puts the bytecode into forge's artifacts, so that forge has only tests to run.
import { execFileSync, fork, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import * as fs from "node:fs";
import { createRequire } from "node:module";
import * as path from "node:path";
import { fileURLToPath } from "node:url";
import { mutantsOf } from "./mutants.mjs";

const ROOT = process.cwd();
const CONTRACTS = path.join(ROOT, "contracts");
const WORK = path.join(CONTRACTS, "cache/mutation");
const RESULTS = path.join(WORK, "results.jsonl");
const EQUIVALENTS = path.join(CONTRACTS, "equivalent-mutants.json");
const SOLC = path.join(CONTRACTS, "node_modules/solc");
// A mutant that loops until its gas is gone takes some seconds; one that makes forge itself wait is not worth more than this.
const TIMEOUT_SECONDS = 240;
const SUITES = { unit: ["unit", "failures", "fuzz", "utils"], invariant: ["invariant", "utils"] };
const RUNS = { FOUNDRY_FUZZ_RUNS: "16", FOUNDRY_INVARIANT_RUNS: "6", FOUNDRY_INVARIANT_DEPTH: "96" };

function environment(recordTo) {
  return {
    ...process.env,
    ...RUNS,
    FOUNDRY_PROFILE: "fast",
    FOUNDRY_SOLC: path.join(ROOT, "scripts/lib/record-solc.cjs"),
    RECORD_SOLC_TO: recordTo,
    RECORD_SOLC_MODULE: SOLC,
    FORCE_COLOR: "0",
    NO_COLOR: "1",
  };
}

function hash(text) {
  return createHash("sha256").update(text).digest("hex").slice(0, 16);
}

function readJson(file) {
  return JSON.parse(fs.readFileSync(file, "utf8"));
}

/// Every Solidity file below `folder`, and what else says how it is compiled: its path and text.
function filesBelow(folder) {
  return fs.readdirSync(folder, { recursive: true }).filter((f) => f.endsWith(".sol")).sort()
    .map((f) => [path.join(folder, f), fs.readFileSync(path.join(folder, f), "utf8")]);
}

/// The two builds that every worker starts from: `base/unit` and `base/invariant`.
function prepare() {
  const state = hash(JSON.stringify(["src", "test"].flatMap((d) => filesBelow(path.join(CONTRACTS, d)))) +
    fs.readFileSync(path.join(CONTRACTS, "foundry.toml"), "utf8"));
  const stamp = path.join(WORK, "base/state");
  if (fs.existsSync(stamp) && fs.readFileSync(stamp, "utf8") === state) return;
  fs.rmSync(path.join(WORK, "base"), { recursive: true, force: true });
  for (const [suite, folders] of Object.entries(SUITES)) {
    console.error(`mutation: building for the ${suite} tests`);
    const base = path.join(WORK, "base", suite);
    const record = path.join(base, "record");
    fs.mkdirSync(path.join(base, "test"), { recursive: true });
    fs.mkdirSync(record);
    for (const name of ["foundry.toml", "src"]) fs.cpSync(path.join(CONTRACTS, name), path.join(base, name), { recursive: true });
    for (const name of folders) fs.cpSync(path.join(CONTRACTS, "test", name), path.join(base, "test", name), { recursive: true });
    fs.symlinkSync(path.join(CONTRACTS, "node_modules"), path.join(base, "node_modules"));
    execFileSync(process.env.FORGE, ["build"], { cwd: base, env: environment(record), stdio: ["ignore", "ignore", "inherit"] });
    const { code, text } = runForge(base);
    if (code !== 0) throw new Error(`the ${suite} tests fail without a mutant:\n${text}`);
    describe(base);
  }
  fs.writeFileSync(stamp, state);
}

function runForge(base) {
  try {
    return { code: 0, text: execFileSync(process.env.FORGE, ["test"], { cwd: base, env: environment(path.join(base, "record")), encoding: "utf8" }) };
  } catch (error) {
    return { code: error.status, text: error.stdout };
  }
}

/// Writes `base/plan.json`: the sources as forge gave them to the compiler, what each imports, and for each file of src the
/// artifacts that hold code of it, which the source maps tell.
function describe(base) {
  const record = path.join(base, "record");
  const artifactsOf = readJson(path.join(base, "cache/fast/solidity-files-cache.json")).files;
  const plan = { settings: null, sources: {}, imports: {}, holders: {}, artifacts: {} };
  for (const name of fs.readdirSync(record).filter((n) => n.startsWith("input")).sort()) {
    const input = readJson(path.join(record, name));
    const output = readJson(path.join(record, name.replace("input", "output")));
    plan.settings ??= { ...input.settings, outputSelection: {} };
    Object.assign(plan.sources, input.sources);
    const fileOf = Object.fromEntries(Object.entries(output.sources).map(([file, { id }]) => [id, file]));
    for (const [file, contracts] of Object.entries(output.contracts ?? {})) {
      for (const [contract, { evm }] of Object.entries(contracts)) {
        if (!evm?.bytecode?.object) continue;
        const entry = artifactsOf[file]?.artifacts?.[contract];
        if (!entry) continue;
        const [{ path: artifact }] = Object.values(Object.values(entry)[0]);
        plan.artifacts[`${file}:${contract}`] = { path: artifact, bytecode: evm.bytecode.object };
        for (const map of [evm.bytecode.sourceMap, evm.deployedBytecode?.sourceMap ?? ""]) {
          for (const id of new Set(map.split(";").map((part) => part.split(":")[2]).filter(Boolean))) {
            const from = fileOf[id];
            if (from?.startsWith("src/")) (plan.holders[from] ??= new Set()).add(`${file}:${contract}`);
          }
        }
      }
    }
  }
  for (const [file, { content }] of Object.entries(plan.sources)) {
    plan.imports[file] = [...content.matchAll(/import\s[^;]*?["']([^"']+)["']\s*;/g)].map(([, to]) => {
      for (const mapping of plan.settings.remappings) {
        const [from, target] = mapping.split("=");
        if (to.startsWith(from)) return target + to.slice(from.length);
      }
      return to.startsWith(".") ? path.posix.join(path.posix.dirname(file), to) : to;
    });
  }
  // A contract that creates another one with `new` carries its code.
  for (const holders of Object.values(plan.holders)) {
    for (const holder of holders) {
      if (!holder.startsWith("src/")) continue;
      for (const outer of plan.holders[holder.split(":")[0]] ?? []) holders.add(outer);
    }
  }
  // `type(X).creationCode` leaves no trace in a source map.
  for (const [file, { content }] of Object.entries(plan.sources)) {
    for (const [, inner] of content.matchAll(/type\((\w+)\)\.creationCode/g)) {
      for (const holders of Object.values(plan.holders)) {
        if (![...holders].some((h) => h.startsWith("src/") && h.endsWith(`:${inner}`))) continue;
        for (const name of Object.keys(plan.artifacts)) if (name.startsWith(`${file}:`)) holders.add(name);
      }
    }
  }
  for (const [file, holders] of Object.entries(plan.holders)) plan.holders[file] = [...holders].sort();
  fs.writeFileSync(path.join(base, "plan.json"), JSON.stringify(plan));
}

function allMutants() {
  const require = createRequire(import.meta.url);
  const plan = readJson(path.join(WORK, "base/unit/plan.json"));
  const astFile = path.join(WORK, "base/ast.json");
  if (!fs.existsSync(astFile)) {
    const output = JSON.parse(require(SOLC).compile(JSON.stringify({
      language: "Solidity", sources: pick(plan, Object.keys(plan.sources).filter((f) => f.startsWith("src/"))),
      settings: { ...plan.settings, outputSelection: { "*": { "": ["ast"] } } },
    })));
    const asts = Object.fromEntries(Object.entries(output.sources).filter(([f]) => f.startsWith("src/")).map(([f, { ast }]) => [f, ast]));
    fs.writeFileSync(astFile, JSON.stringify(asts));
  }
  const asts = readJson(astFile);
  const enums = {};
  for (const ast of Object.values(asts)) {
    for (const node of ast.nodes) if (node.nodeType === "EnumDefinition") enums[node.name] = node.members.map((m) => m.name);
  }
  const mutants = [];
  for (const [file, ast] of Object.entries(asts).sort()) {
    if (file.startsWith("src/interfaces/") || file === "src/types/SaleTypes.sol") continue;
    const source = plan.sources[file].content;
    const bytes = Buffer.from(source);
    for (const m of mutantsOf(source, ast, enums)) {
      const lineStart = bytes.lastIndexOf(0x0a, m.start - 1) + 1;
      const newline = bytes.indexOf(0x0a, m.end);
      const lineEnd = newline < 0 ? bytes.length : newline;
      const before = bytes.subarray(lineStart, lineEnd).toString().trim();
      const after = (bytes.subarray(lineStart, m.start) + m.text + bytes.subarray(m.end, lineEnd)).trim();
      const line = bytes.subarray(0, m.start).toString().split("\n").length;
      mutants.push({ ...m, file, line, before, after, id: hash(`${file}:${m.start}:${m.end}:${m.text}:${hash(source)}`) });
    }
  }
  return mutants;
}

function closure(plan, roots) {
  const seen = new Set();
  const open = [...roots];
  while (open.length > 0) {
    const file = open.pop();
    if (seen.has(file) || !plan.sources[file]) continue;
    seen.add(file);
    open.push(...plan.imports[file]);
  }
  return seen;
}

function pick(plan, roots) {
  return Object.fromEntries([...closure(plan, roots)].sort().map((file) => [file, { content: plan.sources[file].content }]));
}

/// A share of every file and operator, in an order that `seed` gives.
function sample(mutants, count, seed) {
  const strata = new Map();
  for (const m of mutants) {
    const key = `${m.file}:${m.operator}`;
    if (!strata.has(key)) strata.set(key, []);
    strata.get(key).push(m);
  }
  const ranked = [];
  for (const group of strata.values()) {
    group.sort((a, b) => (hash(seed + a.id) < hash(seed + b.id) ? -1 : 1));
    group.forEach((m, i) => ranked.push({ m, rank: (i + 0.5) / group.length, tie: hash(seed + m.id) }));
  }
  ranked.sort((a, b) => a.rank - b.rank || (a.tie < b.tie ? -1 : 1));
  return ranked.slice(0, count).map(({ m }) => m);
}

function equivalents() {
  return fs.existsSync(EQUIVALENTS) ? readJson(EQUIVALENTS) : [];
}

/// Why no test can tell the mutant, by `keyOf`.
function reasons() {
  return new Map(equivalents().map((e) => [keyOf(e), e.why]));
}

function keyOf({ file, before, after }) {
  return `${file}\n${before}\n${after}`;
}

function results() {
  const byId = new Map();
  if (!fs.existsSync(RESULTS)) return byId;
  for (const line of fs.readFileSync(RESULTS, "utf8").split("\n").filter(Boolean)) {
    const result = JSON.parse(line);
    byId.set(result.id, result);
  }
  return byId;
}

function report(mutants, byId) {
  const named = reasons();
  const done = mutants.filter((m) => byId.has(m.id)).map((m) => ({ ...m, ...byId.get(m.id) }));
  const table = (title, key) => {
    const groups = new Map();
    for (const m of done) {
      const g = groups.get(m[key]) ?? { killed: 0, survived: 0, same: 0, invalid: 0 };
      g[{ killed: "killed", timeout: "killed", survived: "survived", same: "same", invalid: "invalid" }[m.status]]++;
      groups.set(m[key], g);
    }
    console.log(`\n| ${title} | killed | survived | same bytecode | does not compile |\n|---|---:|---:|---:|---:|`);
    for (const [name, g] of [...groups].sort()) {
      console.log(`| ${name.replace("src/", "")} | ${g.killed} | ${g.survived} | ${g.same} | ${g.invalid} |`);
    }
  };
  table("file", "file");
  table("operator", "operator");
  const survivors = done.filter((m) => m.status === "survived");
  if (survivors.length > 0) console.log("");
  for (const m of survivors) {
    const why = named.get(keyOf(m));
    console.log(`${why ? "equivalent" : "survived"} ${m.file}:${m.line} ${m.operator}\n  - ${m.before}\n  + ${m.after}${why ? `\n  ${why}` : ""}`);
  }
  const count = (...status) => done.filter((m) => status.includes(m.status)).length;
  const killed = count("killed", "timeout");
  const valid = killed + survivors.length;
  const equivalent = survivors.filter((m) => named.has(keyOf(m))).length;
  const share = (part, all) => (all === 0 ? "-" : `${((100 * part) / all).toFixed(2)} %`);
  console.log(`\n${mutants.length} mutants, ${done.length} run: ${killed} killed (${count("timeout")} by time, ` +
    `${done.filter((m) => m.suite === "invariant").length} by invariants), ${survivors.length} survived, ` +
    `${count("same")} with the same bytecode, ${count("invalid")} do not compile`);
  console.log(`killed of the valid: ${share(killed, valid)}; without the ${equivalent} named equivalent: ${share(killed, valid - equivalent)}`);
  return survivors.length - equivalent;
}

async function main(argv) {
  const options = { jobs: 2, seed: "1", files: [] };
  for (let i = 0; i < argv.length; i++) {
    const flag = argv[i];
    if (["--sample", "--seed", "--jobs"].includes(flag)) options[flag.slice(2)] = flag === "--seed" ? argv[++i] : Number(argv[++i]);
    else if (["--survivors", "--list", "--report"].includes(flag)) options[flag.slice(2)] = true;
    else if (flag.startsWith("--")) throw new Error(`${flag} is not an option: see the head of scripts/mutation`);
    else options.files.push(flag);
  }
  fs.mkdirSync(WORK, { recursive: true });
  prepare();
  let mutants = allMutants();
  if (options.files.length > 0) {
    const asked = options.files.map((f) => path.basename(f).split(":"));
    mutants = mutants.filter((m) => asked.some(([name, line]) => m.file.endsWith(`/${name}`) && (!line || Number(line) === m.line)));
  }
  if (options.sample) mutants = sample(mutants, options.sample, options.seed);
  const byId = results();
  const named = reasons();
  if (options.survivors) mutants = mutants.filter((m) => byId.get(m.id)?.status === "survived" && !named.has(keyOf(m)));
  if (options.list) {
    for (const m of mutants) console.log(`${m.file}:${m.line} ${m.operator}\n  - ${m.before}\n  + ${m.after}`);
    console.log(`${mutants.length} mutants`);
    return;
  }
  if (!options.report) {
    const todo = options.survivors ? [...mutants] : mutants.filter((m) => !byId.has(m.id));
    // Those of one file after another: what one of them was killed by is tried on the next.
    await runAll(todo, options.jobs, (result) => {
      byId.set(result.id, result);
      fs.appendFileSync(RESULTS, JSON.stringify(result) + "\n");
    });
  }
  process.exitCode = report(mutants, byId) > 0 ? 1 : 0;
}

function runAll(todo, jobs, done) {
  const total = todo.length;
  let finished = 0;
  const began = Date.now();
  const one = (index) => new Promise((resolve, reject) => {
    const worker = fork(fileURLToPath(import.meta.url), ["--worker", String(index)], { env: process.env });
    const next = () => {
      const mutant = todo.shift();
      if (mutant) worker.send(mutant);
      else worker.disconnect();
    };
    worker.on("message", (message) => {
      if (message !== "ready") {
        done(message);
        finished++;
        const left = Math.round(((Date.now() - began) / finished) * (total - finished) / 60_000);
        console.error(`mutation: ${finished}/${total} ${message.status.padEnd(8)} ${message.seconds} s ${message.file}:${message.line} ${message.by ?? ""}; ${left} min left`);
      }
      next();
    });
    worker.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`worker ${index} ended with ${code}`))));
  });
  return Promise.all(Array.from({ length: Math.min(jobs, total) }, (_, i) => one(i)));
}

/// A worker has its own copy of both builds, so that two never write the same artifact.
function startWorker(index) {
  const require = createRequire(import.meta.url);
  const solc = require(SOLC);
  const bases = {};
  for (const suite of Object.keys(SUITES)) {
    const from = path.join(WORK, "base", suite);
    const to = path.join(WORK, `worker${index}`, suite);
    fs.rmSync(to, { recursive: true, force: true });
    for (const name of ["foundry.toml", "src", "test", "out", "cache"]) fs.cpSync(path.join(from, name), path.join(to, name), { recursive: true });
    fs.symlinkSync(path.join(CONTRACTS, "node_modules"), path.join(to, "node_modules"));
    bases[suite] = { folder: to, record: path.join(from, "record"), plan: readJson(path.join(from, "plan.json")) };
  }
  process.on("message", async (mutant) => {
    const began = Date.now();
    const result = { id: mutant.id, file: mutant.file, line: mutant.line, operator: mutant.operator, before: mutant.before, after: mutant.after };
    for (const suite of Object.keys(SUITES)) {
      const { status, by } = await judge(solc, bases[suite], mutant);
      Object.assign(result, { status, by, suite: status === "killed" ? suite : undefined });
      // The unit tests may hold no code of it.
      if (status !== "survived" && !(suite === "unit" && status === "same")) break;
    }
    process.send({ ...result, seconds: Math.round((Date.now() - began) / 100) / 10 });
  });
  // Without the parent nobody reads the results, and the next run wants the folder.
  process.on("disconnect", () => process.exit());
  process.send("ready");
}

async function judge(solc, { folder, record, plan }, mutant) {
  const holders = (plan.holders[mutant.file] ?? []).filter((name) => plan.artifacts[name]);
  const roots = new Set([mutant.file, ...holders.map((name) => name.split(":")[0])]);
  const sources = pick(plan, roots);
  const bytes = Buffer.from(plan.sources[mutant.file].content);
  sources[mutant.file] = { content: bytes.subarray(0, mutant.start) + mutant.text + bytes.subarray(mutant.end) };
  const outputSelection = {};
  for (const name of holders) {
    const [file, contract] = name.split(":");
    (outputSelection[file] ??= {})[contract] = ["evm.bytecode.object"];
  }
  const output = JSON.parse(solc.compile(JSON.stringify({ language: "Solidity", sources, settings: { ...plan.settings, outputSelection } })));
  if ((output.errors ?? []).some((e) => e.severity === "error")) return { status: "invalid" };
  const changed = holders.filter((name) => {
    const [file, contract] = name.split(":");
    return output.contracts[file][contract].evm.bytecode.object !== plan.artifacts[name].bytecode;
  });
  if (changed.length === 0) return { status: "same" };
  const kept = [];
  for (const name of changed) {
    const [file, contract] = name.split(":");
    const artifact = path.join(folder, "out/fast", plan.artifacts[name].path);
    const text = fs.readFileSync(artifact, "utf8");
    kept.push([artifact, text]);
    const json = JSON.parse(text);
    json.bytecode.object = `0x${output.contracts[file][contract].evm.bytecode.object}`;
    fs.writeFileSync(artifact, JSON.stringify(json));
  }
  try {
    return await test(folder, record);
  } finally {
    for (const [artifact, text] of kept) fs.writeFileSync(artifact, text);
    for (const name of ["cache/fuzz", "cache/invariant", "cache/test-failures"]) fs.rmSync(path.join(folder, name), { recursive: true, force: true });
  }
}

function test(folder, record) {
  return new Promise((resolve, reject) => {
    const forge = spawn(process.env.FORGE, ["test", "--fail-fast", "--threads", "1"], {
      cwd: folder, env: environment(record), stdio: ["ignore", "pipe", "pipe"], detached: true,
    });
    let text = "";
    let late = false;
    forge.stdout.on("data", (part) => (text += part));
    forge.stderr.on("data", (part) => (text += part));
    const timer = setTimeout(() => {
      late = true;
      process.kill(-forge.pid, "SIGKILL");
    }, TIMEOUT_SECONDS * 1000);
    forge.on("close", (code) => {
      clearTimeout(timer);
      const failed = text.match(/^\[FAIL[^\n]*\] (\w+)/m)?.[1] ?? text.match(/^\[FAIL[^\n]*/m)?.[0];
      if (late) resolve({ status: "timeout" });
      else if (!text.includes("No files changed")) reject(new Error(`forge compiled, or did not start:\n${text.slice(0, 2000)}`));
      else if (code === 0) resolve({ status: "survived" });
      else resolve({ status: "killed", by: failed });
    });
  });
}

if (process.argv[2] === "--worker") startWorker(Number(process.argv[3]));
else await main(process.argv.slice(2)).catch((error) => {
  console.error(`error: ${error.message}`);
  process.exitCode = 2;
});
