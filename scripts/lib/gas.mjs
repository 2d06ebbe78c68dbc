// The work of scripts/gas: a devnet with a fixed clock, so that every figure is the same in every run.
import { execFileSync, spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";

// Ceilings of the design, for a sale of four phases paid in ether.
const CEILINGS = { contribute_new: 58_000, contribute_again: 41_000, refund: 37_000, create: 350_000 };
// What a voucher may add to a contribution.
const VOUCHER_ADDS = 9_000;
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

const fields = (...list) => list.map((f) => f.split(" ")).map(([type, name]) => ({ name, type }));
const address = (value) => value.slice(2).toLowerCase().padStart(64, "0");
const cast = (...args) => execFileSync(process.env.CAST, args, { encoding: "utf8" }).trim();
const call = async (to, data) => "0x" + (await rpc("eth_call", { to, data }, "latest")).slice(26);

// The system.
const vaultCode = (await measure("deploy_refund_vault", deployer, undefined, artifact("RefundVault").bytecode.object)).contract;
const parts = [];
for (const [figure, name, args] of [
  ["deploy_fixed_price_sale", "FixedPriceSale", address(vaultCode)],
  ["deploy_pro_rata_sale", "ProRataSale", address(vaultCode)],
  ["deploy_dutch_auction_sale", "DutchAuctionSale", address(vaultCode)],
  ["deploy_team_wallet", "TeamWallet", ""],
  ["deploy_token_factory", "TokenFactory", ""],
]) {
  parts.push((await measure(figure, deployer, undefined, artifact(name).bytecode.object + args)).contract);
}
const [fixed, proRata, dutch, wallet, tokens] = parts;
const implementations = [fixed, proRata, dutch, vaultCode, wallet, tokens].map(address).join("");
const factory = (await measure("deploy_factory", deployer, undefined, artifact("SaleFactory").bytecode.object + implementations)).contract;
const dollar = (await deploy("DevDollar")).contract;
const words = cast("abi-encode", "f(string,string,uint256,string,address)", "Aurora", "AUR", String(10n ** 25n), "", deployer);
const token = (await deploy("SaleToken", words.slice(2))).contract;
await send(deployer, token, encode("approve(address,uint256)", factory, 10n ** 25n));
for (const account of [alice, bob]) await send(deployer, dollar, encode("mint(address,uint256)", account, 10n ** 12n));

const TERMS =
  "(address,address,address,address,address,address,uint40,uint32,uint120,uint120,uint120,uint120,uint120,uint8,(uint16,uint32,uint32),(uint16,uint32,uint16),(uint40,uint120,uint128,uint8,bytes32)[])";
const DOCUMENTS = "(string,bytes32,string,bytes32,string)";
const ALLOCATIONS = "(address,uint120,uint64,uint64)[]";
const HASH = "0x" + "5a".repeat(32);
const NONE = "0x" + "0".repeat(64);
const [FIXED, PRO_RATA, DUTCH] = [0, 1, 2];
const [OPEN, VOUCHER, LIST] = [0, 1, 2];

// A list of eight: the proof has three hashes.
const LIMIT = 50n * ETHER;
const keccak = (hex) => cast("keccak", hex);
const leaf = (investor) => keccak(keccak("0x" + address(investor) + LIMIT.toString(16).padStart(64, "0")));
const siblings = [1, 2, 3].map((n) => keccak("0x0" + n));
const above = (a, b) => keccak("0x" + (a < b ? a.slice(2) + b.slice(2) : b.slice(2) + a.slice(2)));
const root = siblings.reduce(above, leaf(bob));
const listed = "0x" + LIMIT.toString(16).padStart(30, "0") + siblings.map((h) => h.slice(2)).join("");

// What a sale may have beside its mode; everything else as the design's measure has it: ether, an open gate, four phases.
function terms({ sold = token, currency = ZERO, unit = ETHER, mode = FIXED, gate = OPEN, coolingOff = 0, vesting = [0, 0, 0], tap = [0, 0, 0] }) {
  const phase = (day, cap, price) => [OPENS + day * DAY, BigInt(cap) * unit, (BigInt(price) * unit) / 1000n, gate, gate === LIST ? root : NONE];
  const phases = {
    [FIXED]: () => new List(phase(1, 20, 1), phase(2, 40, 2), phase(3, 70, 3), phase(4, 100, 4)),
    [PRO_RATA]: () => new List(...[1, 2, 3, 4].map((day) => phase(day, 100, 1))),
    [DUTCH]: () => new List(phase(1, 100, 4), phase(2, 100, 3), phase(3, 100, 2), phase(4, 100, 1)),
  }[mode]();
  return [
    owner, deployer, deployer, beneficiary, sold, currency, OPENS, coolingOff, 10n * unit, 100n * unit, unit / 100n, 100n * unit,
    100_000n * ETHER, 0, vesting, tap, phases,
  ];
}
const documents = (name) => [name, HASH, "https://example.org/sale.toml", HASH, "https://example.org/whitepaper.pdf"];

const CREATED = cast("sig-event", `SaleCreated(address,address,address,address,uint8,${TERMS},${DOCUMENTS})`);
const ALLOCATED = cast("sig-event", "AllocationCreated(address,address,uint256,(address,uint120,uint64,uint64))");
// The team's, by sale.
const wallets = {};
async function create(figure, name, options, allocations = []) {
  const data = encode(`create(uint8,${TERMS},${DOCUMENTS},${ALLOCATIONS})`, options.mode ?? FIXED, terms(options), documents(name), new List(...allocations));
  const { gas, logs } = await send(deployer, factory, data);
  if (figure) figures[figure] = gas;
  const created = logs.find((l) => l.topics[0] === CREATED);
  const sale = "0x" + created.topics[1].slice(26);
  wallets[sale] = logs.filter((l) => l.topics[0] === ALLOCATED).map((l) => "0x" + l.topics[2].slice(26));
  return sale;
}
const contribute = (investor, amount, eligibility = "0x") => encode("contribute(address,uint256,bytes)", investor, amount, eligibility);
const claim = (investor) => encode("claim(address)", investor);
const refund = (investor) => encode("refundFor(address)", investor);
const CLOSE = encode("close()");

async function voucher(sale, investor) {
  const { epoch, chainId } = { epoch: 0, chainId: Number(await rpc("eth_chainId")) };
  const fields = [["investor", "address"], ["maxPaid", "uint256"], ["phases", "uint256"], ["deadline", "uint256"], ["epoch", "uint256"]];
  const signature = await rpc("eth_signTypedData_v4", deployer, {
    types: {
      EIP712Domain: [["name", "string"], ["version", "string"], ["chainId", "uint256"], ["verifyingContract", "address"]].map(([name, type]) => ({ name, type })),
      Voucher: fields.map(([name, type]) => ({ name, type })),
    },
    primaryType: "Voucher",
    domain: { name: "Crowdsale", version: "1", chainId, verifyingContract: sale },
    message: { investor, maxPaid: String(LIMIT), phases: "15", deadline: String(OPENS + 4 * DAY), epoch: String(epoch) },
  });
  return "0x" + LIMIT.toString(16).padStart(30, "0") + "0f" + (OPENS + 4 * DAY).toString(16).padStart(10, "0") + signature.slice(2);
}

const allocation = (amount) => [beneficiary, amount * ETHER, 30 * DAY, 365 * DAY];
const sale = await create("create", "Aurora", {});
const failing = await create(null, "Failing", {});
const cancelled = await create(null, "Cancelled", {});
const ran = await create("create_with_everything", "Everything", {
  gate: LIST, coolingOff: 14 * DAY, vesting: [2000, 30 * DAY, 300 * DAY], tap: [2000, 300 * DAY, 5000],
}, [allocation(1000n), allocation(2000n)]);
const dollars = await create("create_erc20", "Dollars", { currency: dollar, unit: 10n ** 6n });
const gated = await create("create_voucher", "Gated", { gate: VOUCHER });
const shared = await create("create_pro_rata", "Shared", { mode: PRO_RATA, vesting: [2000, 0, 300 * DAY] });
const sharedToo = await create(null, "Shared too", { mode: PRO_RATA });
const auction = await create("create_dutch_auction", "Auction", { mode: DUTCH });
const createWithToken = (name, kind, mode = FIXED) => encode(
  `createWithToken(uint8,${TERMS},${DOCUMENTS},${ALLOCATIONS},(uint8,string,string,uint256,string))`,
  mode, terms({ sold: ZERO, mode }), documents(name), new List(), [kind, name, "BOR", 10n ** 25n, "https://example.org/token.json"],
);
await measure("create_with_token", deployer, factory, createWithToken("Borealis", 0));
const saleAndToken = ({ logs }) => {
  const [, sale, , token] = logs.find((l) => l.topics[0] === CREATED).topics.map((t) => "0x" + t.slice(26));
  return { sale, token };
};
const restricted = saleAndToken(await measure("create_with_restricted_token", deployer, factory, createWithToken("Restricted", 1)));
const restrictedToo = {
  pro_rata: saleAndToken(await send(deployer, factory, createWithToken("Restricted pro rata", 1, PRO_RATA))),
  dutch_auction: saleAndToken(await send(deployer, factory, createWithToken("Restricted auction", 1, DUTCH))),
};
// Other gates, and leaving, in the modes with one price for all.
const others = {};
for (const [mode, name] of [[PRO_RATA, "pro_rata"], [DUTCH, "dutch_auction"]]) {
  for (const [gate, what] of [[VOUCHER, "voucher"], [LIST, "list"]]) {
    others[`${name}_${what}`] = await create(null, `${name} ${what}`, { mode, gate, coolingOff: mode === DUTCH ? 0 : 14 * DAY });
  }
}
const cooling = await create(null, "Cooling", { coolingOff: 14 * DAY });
const objected = await create(null, "Objected", { tap: [2000, 300 * DAY, 5000] });
const teamFails = await create(null, "Team fails", {}, [allocation(1000n)]);

// Fixed price.
clock = OPENS;
await send(alice, sale, contribute(alice, ETHER), ETHER);
await measure("contribute_new", bob, sale, contribute(bob, ETHER), ETHER);
await measure("contribute_again", bob, sale, contribute(bob, ETHER), ETHER);
await measure("contribute_plain_transfer_new", carol, sale, "0x", ETHER);
await measure("contribute_plain_transfer_again", carol, sale, "0x", ETHER);
await measure("contribute_over_three_phases", alice, sale, contribute(alice, 40n * ETHER), 40n * ETHER);
await measure("contribute_last_with_excess", alice, sale, contribute(alice, 70n * ETHER), 70n * ETHER);
// Before its end, so compliance alone may.
await measure("close_succeeded", deployer, sale, CLOSE);
await measure("claim", bob, sale, claim(bob));
await measure("claim_to", carol, sale, encode("claimTo(address)", bob));
await measure("release", bob, await call(sale, encode("vault()")), encode("release()"));

// Gates, and what the roles may do.
await send(alice, gated, contribute(alice, ETHER, await voucher(gated, alice)), ETHER);
const ticket = await voucher(gated, bob);
await measure("contribute_voucher_new", bob, gated, contribute(bob, ETHER, ticket), ETHER);
await measure("contribute_voucher_again", bob, gated, contribute(bob, ETHER, ticket), ETHER);
await measure("reject", deployer, gated, encode("reject(address)", bob));
await measure("refund_rejected", bob, gated, refund(bob));
await measure("pause", owner, gated, encode("setPaused(bool)", true));
await measure("resume", owner, gated, encode("setPaused(bool)", false));
await measure("set_voucher_signer", owner, gated, encode("setVoucherSigner(address)", carol));
await measure("set_compliance", owner, gated, encode("setCompliance(address)", carol));
await measure("supersede_whitepaper", owner, gated, encode("supersedeWhitepaper(bytes32,string)", HASH, "https://example.org/2.pdf"));
await measure("transfer_ownership", owner, gated, encode("transferOwnership(address)", carol));
await measure("accept_ownership", carol, gated, encode("acceptOwnership()"));

// Everything at once: a list, cooling-off, vesting, a tap.
await measure("contribute_list_new", bob, ran, contribute(bob, 20n * ETHER, listed), 20n * ETHER);
await measure("contribute_list_again", bob, ran, contribute(bob, ETHER, listed), ETHER);
await measure("withdraw", bob, ran, encode("withdraw()"));
await send(bob, ran, contribute(bob, 20n * ETHER, listed), 20n * ETHER);

await send(bob, cooling, contribute(bob, ETHER), ETHER);
await measure("withdraw_to", bob, cooling, encode("withdrawTo(address)", alice));
const FAR = OPENS + 900 * DAY;
const holders = (until, ...accounts) => encode("setHolders(address[],uint40[])", new List(...accounts), new List(...accounts.map(() => until)));
await measure("set_two_holders", owner, restricted.token, holders(FAR, alice, bob));
await measure("set_two_holders_again", owner, restricted.token, holders(FAR, alice, bob));

// One price for all.
await send(alice, shared, contribute(alice, 80n * ETHER), 80n * ETHER);
await measure("pro_rata_contribute_new", bob, shared, contribute(bob, 60n * ETHER), 60n * ETHER);
await measure("pro_rata_contribute_again", bob, shared, contribute(bob, ETHER), ETHER);
await send(alice, sharedToo, contribute(alice, 80n * ETHER), 80n * ETHER);
await send(bob, sharedToo, contribute(bob, 60n * ETHER), 60n * ETHER);
await send(alice, auction, contribute(alice, 80n * ETHER), 80n * ETHER);
await measure("dutch_auction_contribute_new", bob, auction, contribute(bob, 19n * ETHER), 19n * ETHER);
await measure("dutch_auction_contribute_again", bob, auction, contribute(bob, ETHER), ETHER);
await measure("dutch_auction_close", deployer, auction, CLOSE);
await measure("dutch_auction_claim", bob, auction, claim(bob));

for (const name of ["pro_rata", "dutch_auction"]) {
  const byVoucher = others[`${name}_voucher`];
  const byList = others[`${name}_list`];
  await send(alice, byVoucher, contribute(alice, ETHER, await voucher(byVoucher, alice)), ETHER);
  await measure(`${name}_contribute_voucher_new`, bob, byVoucher, contribute(bob, ETHER, await voucher(byVoucher, bob)), ETHER);
  await measure(`${name}_reject`, deployer, byVoucher, encode("reject(address)", bob));
  await measure(`${name}_contribute_list_new`, bob, byList, contribute(bob, ETHER, listed), ETHER);
  // An auction has no cooling-off.
  if (name === "pro_rata") await measure("pro_rata_withdraw", bob, byList, encode("withdraw()"));
}
await send(alice, objected, contribute(alice, 50n * ETHER), 50n * ETHER);
await send(bob, objected, contribute(bob, ETHER), ETHER);
await send(alice, teamFails, contribute(alice, ETHER), ETHER);

// Failure and cancellation.
await send(alice, failing, contribute(alice, ETHER), ETHER);
await send(bob, failing, contribute(bob, ETHER), ETHER);
await send(alice, cancelled, contribute(alice, ETHER), ETHER);
await measure("cancel", owner, cancelled, encode("cancel()"));
await measure("refund_to", alice, cancelled, encode("refundTo(address)", bob));

// An ERC-20.
for (const account of [alice, bob]) await send(account, dollar, encode("approve(address,uint256)", dollars, 10n ** 12n));
await send(alice, dollars, contribute(alice, 10n ** 6n));
await measure("contribute_erc20_new", bob, dollars, contribute(bob, 10n ** 6n));
await measure("contribute_erc20_again", bob, dollars, contribute(bob, 10n ** 6n));
async function permitted(investor) {
  const signed = await rpc("eth_signTypedData_v4", investor, {
    types: {
      EIP712Domain: fields("string name", "string version", "uint256 chainId", "address verifyingContract"),
      Permit: fields("address owner", "address spender", "uint256 value", "uint256 nonce", "uint256 deadline"),
    },
    primaryType: "Permit",
    domain: { name: "Dev Dollar", version: "1", chainId: Number(await rpc("eth_chainId")), verifyingContract: dollar },
    message: { owner: investor, spender: dollars, value: 10 ** 6, nonce: 0, deadline: 2 ** 40 },
  });
  return encode(
    "contributeWithPermit(address,uint256,bytes,uint256,uint8,bytes32,bytes32)",
    investor,
    10n ** 6n,
    "0x",
    2n ** 40n,
    parseInt(signed.slice(130), 16),
    signed.slice(0, 66),
    "0x" + signed.slice(66, 130),
  );
}
await measure("contribute_permit_again", bob, dollars, await permitted(bob));
await send(deployer, dollar, encode("mint(address,uint256)", carol, 10n ** 12n));
await measure("contribute_permit_new", carol, dollars, await permitted(carol));

clock = OPENS + 4 * DAY;
await measure("close_failed", bob, failing, CLOSE);
await measure("refund", bob, failing, refund(bob));
await send(bob, dollars, CLOSE);
await measure("refund_erc20", bob, dollars, refund(bob));
await measure("close_with_everything", bob, ran, CLOSE);
await measure("claim_vested_first", bob, ran, claim(bob));
const tapped = await call(ran, encode("vault()"));
await send(bob, objected, CLOSE);
const heard = await call(objected, encode("vault()"));
await measure("release_to", beneficiary, heard, encode("releaseTo(address)", owner));
await measure("object", bob, heard, encode("object()"));
await send(alice, heard, encode("object()"));
await send(bob, teamFails, CLOSE);
await measure("allocation_reclaim", bob, wallets[teamFails][0], encode("reclaim(address)", token));
clock += 60 * DAY;
await measure("claim_vested_again", bob, ran, claim(bob));
await measure("release_tap_first", bob, tapped, encode("release()"));
clock += DAY;
await measure("release_tap_again", bob, tapped, encode("release()"));
await measure("allocation_release", beneficiary, wallets[ran][0], encode("release(address)", token));
await measure("object_and_stop", bob, tapped, encode("object()"));
await measure("vault_refund", bob, tapped, refund(bob));
await measure("vault_refund_to", alice, heard, encode("refundTo(address)", bob));
await measure("pro_rata_close", bob, shared, CLOSE);
await send(bob, sharedToo, CLOSE);
await measure("pro_rata_claim_vested", bob, shared, claim(bob));
await measure("pro_rata_claim", bob, sharedToo, claim(bob));
await measure("pro_rata_excess", alice, sharedToo, refund(alice));
// The owner may not hold the token when the sale closes, and then may again.
for (const [figure, { sale, token }] of [
  ["return_unsold", restricted],
  ["pro_rata_return_unsold", restrictedToo.pro_rata],
  ["dutch_auction_return_unsold", restrictedToo.dutch_auction],
]) {
  await send(owner, token, holders(OPENS, owner));
  await send(bob, sale, CLOSE);
  await send(owner, token, holders(FAR, owner));
  await measure(figure, bob, sale, encode("returnUnsold()"));
}

anvil.kill();
const problems = Object.entries(CEILINGS)
  .filter(([name, most]) => figures[name] > most)
  .map(([name, most]) => `${name} takes ${figures[name]} gas, the design allows ${most}`);
for (const when of ["new", "again"]) {
  const added = figures[`contribute_voucher_${when}`] - figures[`contribute_${when}`];
  if (added > VOUCHER_ADDS) problems.push(`a voucher adds ${added} gas (${when}), the design allows ${VOUCHER_ADDS}`);
}
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
