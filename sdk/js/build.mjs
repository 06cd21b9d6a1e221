// Makes a component of a rule: bundles it with esbuild and lays it into the JavaScript engine.
// `ruledesk rule build` calls it: node .ruledesk/sdk/build.mjs OUT ENTRY STAGE...

import { writeFile } from "node:fs/promises";
import path from "node:path";
import { build } from "esbuild";
import { componentize } from "componentize-qjs";

const [out, entry, ...stages] = process.argv.slice(2);
const here = path.resolve(".ruledesk");

// The engine runs this once, while the component is built; what it leaves in memory is where every decision begins.
const start = `
import log from "ruledesk:rules/log@1.0.0";
import tables from "ruledesk:rules/tables@1.0.0";
import { connect, settingsOf, stageOf } from "./sdk/component.js";
import * as source from ${JSON.stringify(path.resolve(entry))};
connect(log, tables);
const rule = source.default, state = {};
export const settings = settingsOf(rule, state);
${stages.map((stage) => `export const ${stage} = stageOf(rule, "${stage}", state);`).join("\n")}
`;

try {
  const bundled = await build({
    stdin: { contents: start, resolveDir: here, sourcefile: "start.js" },
    bundle: true,
    write: false,
    format: "esm",
    target: "es2023",
    platform: "neutral",
    mainFields: ["module", "main"],
    external: ["ruledesk:*"],
    legalComments: "none",
    logLevel: "info",
  });
  const { component } = await componentize({
    witPath: path.join(here, "wit"),
    world: "this-rule",
    jsSource: bundled.outputFiles[0].text,
    sync: true,
  });
  await writeFile(out, component);
} catch (error) {
  // esbuild has printed its own errors already.
  if (!error.errors) console.error(error.message);
  process.exitCode = 1;
}
