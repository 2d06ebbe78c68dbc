// The work of scripts/gas: a devnet with a fixed clock, so that every figure is the same in every run.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";

// Ceilings of the design, for a sale of four phases paid in ether.
const CEILINGS = { contribute_new: 58_000, contribute_again: 41_000, refund: 37_000, create: 350_000 };
const FILE = "contracts/gas.json";
const OPENS = 1_900_000_000;
const DAY = 86_400;
const ETHER = 10n ** 18n;
const ZERO = "0x" + "0".repeat(40);

const port = await new Promise((resolve) => {
  const server = createServer().listen(0, "127.0.0.1", () => {
    const { port } = server.address();
    server.close(() => resolve(port));
  });
});
const anvil = spawn(process.env.ANVIL, ["--port", port, "--timestamp", OPENS - 100_000, "--quiet"], { stdio: "inherit" });
process.on("exit", () => anvil.kill());

async function rpc(method, ...params) {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
  const answer = await fetch(`http://127.0.0.1:${port}`, { method: "POST", body, headers: { "content-type": "application/json" } });
  const { result, error } = await answer.json();
  if (error) throw new Error(`${method}: ${error.message}`);
  return result;
}

for (let tries = 0; ; tries++) {
  try {
    await rpc("eth_chainId");
    break;
  } catch (error) {
    if (tries === 100) throw error;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
const [deployer, owner, beneficiary, alice, bob, carol] = await rpc("eth_accounts");
let clock = OPENS - 90_000;

function encode(signature, ...args) {
  const text = (a) => (Array.isArray(a) ? `(${a.map(text).join(",")})` : a instanceof List ? `[${a.items.map(text).join(",")}]` : String(a));
  return execFileSync(process.env.CAST, ["calldata", signature, ...args.map(text)], { encoding: "utf8" }).trim();
}
class List {
  constructor(...items) {
    this.items = items;
  }
}

async function send(from, to, data, value = 0n) {
  await rpc("evm_setNextBlockTimestamp", ++clock);
  const hash = await rpc("eth_sendTransaction", { from, to, data, value: "0x" + value.toString(16), gas: "0x1000000" });
  let receipt = null;
  for (let tries = 0; receipt === null && tries < 500; tries++) {
    if (tries > 0) await new Promise((resolve) => setTimeout(resolve, 10));
    receipt = await rpc("eth_getTransactionReceipt", hash);
  }
  if (receipt?.status !== "0x1") throw new Error(`transaction ${hash} failed`);
  return { gas: Number(receipt.gasUsed), contract: receipt.contractAddress, logs: receipt.logs };
}

const artifact = (name) => JSON.parse(readFileSync(`contracts/out/${name}.sol/${name}.json`, "utf8"));
const deploy = (name, args = "") => send(deployer, undefined, artifact(name).bytecode.object + args);

const figures = {};
async function measure(name, ...call) {
  const result = await send(...call);
  figures[name] = result.gas;
  return result;
}

const factory = (await measure("deploy_factory", deployer, undefined, artifact("SaleFactory").bytecode.object)).contract;
const dollar = (await deploy("DevDollar")).contract;
const words = execFileSync(process.env.CAST, ["abi-encode", "f(string,string,uint256,string)", "Aurora", "AUR", String(10n ** 25n), ""], { encoding: "utf8" });
const token = (await deploy("SaleToken", words.trim().slice(2))).contract;
await send(deployer, token, encode("approve(address,uint256)", factory, 10n ** 25n));
for (const account of [alice, bob]) await send(deployer, dollar, encode("mint(address,uint256)", account, 10n ** 12n));

const TERMS =
  "(address,address,address,address,uint40,uint120,uint120,uint120,uint120,uint120,uint8,(uint40,uint120,uint128,uint8)[])";
const DOCUMENTS = "(string,bytes32,string,bytes32,string)";
const HASH = "0x" + "5a".repeat(32);
const CREATED = artifact("SaleFactory").abi.find((e) => e.name === "SaleCreated");
if (!CREATED) throw new Error("the factory has no event SaleCreated");

function terms(sold, currency, opens, unit) {
  const phase = (day, cap, price) => [opens + day * DAY, BigInt(cap) * unit, (BigInt(price) * unit) / 1000n, 0];
  const phases = new List(phase(1, 20, 1), phase(2, 40, 2), phase(3, 70, 3), phase(4, 100, 4));
  return [owner, beneficiary, sold, currency, opens, 10n * unit, 100n * unit, unit / 100n, 100n * unit, 100_000n * ETHER, 0, phases];
}
const documents = (name) => [name, HASH, "https://example.org/sale.toml", HASH, "https://example.org/whitepaper.pdf"];

async function create(figure, name, currency, opens, unit) {
  const data = encode(`create(uint8,${TERMS},${DOCUMENTS})`, 0, terms(token, currency, opens, unit), documents(name));
  const { gas, logs } = await send(deployer, factory, data);
  if (figure) figures[figure] = gas;
  const created = logs.filter((l) => l.address.toLowerCase() === factory.toLowerCase()).at(-1);
  return "0x" + created.topics[1].slice(26);
}
const contribute = (investor, amount) => encode("contribute(address,uint256,bytes)", investor, amount, "0x");

// Ether, four phases, sold out to the last wei.
const sale = await create("create", "Aurora", ZERO, OPENS, ETHER);
const tokenData = encode(
  `createWithToken(uint8,${TERMS},${DOCUMENTS},(string,string,uint256,string))`,
  0, terms(ZERO, ZERO, OPENS, ETHER), documents("Borealis"), ["Borealis", "BOR", 10n ** 25n, "https://example.org/token.json"],
);
await measure("create_with_token", deployer, factory, tokenData);
const failing = await create(null, "Failing", ZERO, OPENS, ETHER);
const cancelled = await create(null, "Cancelled", ZERO, OPENS, ETHER);
const dollars = await create("create_erc20", "Dollars", dollar, OPENS, 10n ** 6n);
clock = OPENS;
await send(alice, sale, contribute(alice, ETHER), ETHER);
await measure("contribute_new", bob, sale, contribute(bob, ETHER), ETHER);
await measure("contribute_again", bob, sale, contribute(bob, ETHER), ETHER);
await measure("contribute_plain_transfer_new", carol, sale, "0x", ETHER);
await measure("contribute_plain_transfer_again", carol, sale, "0x", ETHER);
await measure("contribute_over_three_phases", alice, sale, contribute(alice, 40n * ETHER), 40n * ETHER);
await measure("contribute_last_with_excess", alice, sale, contribute(alice, 70n * ETHER), 70n * ETHER);
await measure("close_succeeded", bob, sale, encode("close()"));
await measure("claim", bob, sale, encode("claim(address)", bob));
const vault = "0x" + (await rpc("eth_call", { to: sale, data: encode("vault()") }, "latest")).slice(26);
await measure("release", bob, vault, encode("release()"));

await send(alice, failing, contribute(alice, ETHER), ETHER);
await send(bob, failing, contribute(bob, ETHER), ETHER);
await send(alice, cancelled, contribute(alice, ETHER), ETHER);
await measure("cancel", owner, cancelled, encode("cancel()"));

for (const account of [alice, bob]) await send(account, dollar, encode("approve(address,uint256)", dollars, 10n ** 12n));
await send(alice, dollars, contribute(alice, 10n ** 6n));
await measure("contribute_erc20_new", bob, dollars, contribute(bob, 10n ** 6n));
await measure("contribute_erc20_again", bob, dollars, contribute(bob, 10n ** 6n));
clock = OPENS + 4 * DAY;
await measure("close_failed", bob, failing, encode("close()"));
await measure("refund", bob, failing, encode("refund(address)", bob));
await send(bob, dollars, encode("close()"));
await measure("refund_erc20", bob, dollars, encode("refund(address)", bob));

anvil.kill();
const problems = Object.entries(CEILINGS)
  .filter(([name, most]) => figures[name] > most)
  .map(([name, most]) => `${name} takes ${figures[name]} gas, the design allows ${most}`);
if (process.argv.includes("--check")) {
  const committed = JSON.parse(readFileSync(FILE, "utf8"));
  for (const [name, gas] of Object.entries(figures)) {
    if (!(name in committed)) problems.push(`${name} is not in ${FILE}`);
    else if (gas > committed[name]) problems.push(`${name} rose from ${committed[name]} to ${gas} gas`);
    else if (gas < committed[name]) console.error(`gas: ${name} fell from ${committed[name]} to ${gas}: run scripts/gas and commit ${FILE}`);
  }
} else {
  writeFileSync(FILE, JSON.stringify(figures, null, 2) + "\n");
}
for (const problem of problems) console.error(`error: ${problem}`);
if (problems.length > 0) {
  console.error("hint: make it cheaper; where the rise is worth it, run scripts/gas, commit it and say why");
  process.exitCode = 1;
}
