// Reads jobs on standard input, does them with the library that is named there, writes the results: what ../exchange/job.py says, in JavaScript.
// Its one argument is the directory that has node_modules.
"use strict";

const { readFileSync } = require("node:fs");
const { createRequire } = require("node:module");
const { join } = require("node:path");

const CLIENTS = { "ccxt-js": "./with_ccxt.cjs", "binance-js": "./with_binance.cjs", "connector-js": "./with_connector.cjs" };

async function resultOf(client, call) {
  const { do: name, ...parameters } = call;
  try {
    return { result: await client[name](parameters) };
  } catch (error) {
    return { error: told(error) };
  }
}

// Each library has its own idea of an error; what the server said is what the test wants to see.
function told(error) {
  const text = error.response?.data ?? error.body ?? error.message ?? String(error);
  return { class: error.constructor?.name ?? typeof error, text: typeof text === "string" ? text : JSON.stringify(text) };
}

async function main() {
  const { library, jobs } = JSON.parse(readFileSync(0, "utf8"));
  const load = createRequire(join(process.argv[2], "package.json"));
  const results = [];
  for (const job of jobs) {
    const client = require(CLIENTS[library])(job, load);
    const ofJob = [];
    for (const call of job.calls) ofJob.push(await resultOf(client, call));
    results.push(ofJob);
  }
  process.stdout.write(JSON.stringify(results));
}

main();
