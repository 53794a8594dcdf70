// For each line with a JSON array of objects: JSON.stringify of its batches (array, envelope, wrapped), then of
// each object, with tabs between them, which no JSON of JSON.stringify has.
import { createInterface } from "node:readline";

for await (const line of createInterface({ input: process.stdin })) {
  const objects = JSON.parse(line);
  const batches = [objects, { batch: objects }, objects.map((json) => ({ json }))];
  process.stdout.write([...batches, ...objects].map((value) => JSON.stringify(value)).join("\t") + "\n");
}
