#!/usr/bin/env node
// contracts/tools/solc, which also writes down what forge asked and what it got: scripts/mutation compiles mutants from that,
// without forge and without loading the compiler each time.
const fs = require("node:fs");
const path = require("node:path");

const folder = process.env.RECORD_SOLC_TO;
const versionFile = path.join(folder, "version");
const args = process.argv.slice(2);
if (args.includes("--version") && fs.existsSync(versionFile)) {
  process.stdout.write(fs.readFileSync(versionFile));
} else {
  const solc = require(process.env.RECORD_SOLC_MODULE);
  if (args.includes("--version")) {
    const text = `solc, the solidity compiler commandline interface\nVersion: ${solc.version()}\n`;
    fs.writeFileSync(versionFile, text);
    process.stdout.write(text);
  } else {
    const input = fs.readFileSync(0, "utf8");
    const output = solc.compile(input);
    const count = fs.readdirSync(folder).filter((name) => name.startsWith("input")).length;
    fs.writeFileSync(path.join(folder, `input${count}.json`), input);
    fs.writeFileSync(path.join(folder, `output${count}.json`), output);
    process.stdout.write(output);
  }
}
