// A program that uses @segment/analytics-node. Reads {settings, calls: [[method, argument], …]} from standard
// input, makes the calls, shuts the library down, and prints what it reported as failed.
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";

import { Analytics } from "@segment/analytics-node";

const { settings, calls } = JSON.parse(readFileSync(0, "utf8"));
if (settings.oauthSettings) {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  settings.oauthSettings.clientKey = privateKey.export({ type: "pkcs8", format: "pem" });
}

const client = new Analytics(settings);
const errors = [];
client.on("error", ({ code, reason }) => errors.push(`${code}: ${reason}`));
for (const [method, argument] of calls) {
  client[method](argument);
}
await client.closeAndFlush({ timeout: 30_000 });
process.stdout.write(JSON.stringify(errors));
