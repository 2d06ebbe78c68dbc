// Runs SQL, several statements at once, where there is no psql: node sql.mjs URL [SQL], else SQL from standard input.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../indexer/postgres/", import.meta.url));
const { Client } = require("pg");

const [url, sql] = process.argv.slice(2);
const client = new Client({ connectionString: url });
await client.connect();
try {
  await client.query(sql ?? readFileSync(0, "utf8"));
} finally {
  await client.end();
}
