// Writes one small JSON file a contract: its ABI, and its creation code where the binary deploys it.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";

const [out, target] = process.argv.slice(2);
const contracts = [
  { name: "SaleFactory", deployed: true },
  { name: "TokenFactory", deployed: true },
  { name: "FixedPriceSale", deployed: true },
  { name: "ProRataSale", deployed: true },
  { name: "DutchAuctionSale", deployed: true },
  { name: "RefundVault", deployed: true },
  { name: "TeamWallet", deployed: true },
  { name: "DevDollar", deployed: true },
  { name: "Crowd", deployed: true },
  { name: "SaleToken" },
  { name: "RestrictedSaleToken" },
];

mkdirSync(target, { recursive: true });
for (const { name, deployed } of contracts) {
  const artifact = JSON.parse(readFileSync(`${out}/${name}.sol/${name}.json`, "utf8"));
  const entry = deployed ? { abi: artifact.abi, bytecode: artifact.bytecode.object } : { abi: artifact.abi };
  writeFileSync(`${target}/${name}.json`, JSON.stringify(entry, null, 1) + "\n");
}
