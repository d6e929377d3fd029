/** `npm run check`: types, lint and import rules; the quick part of `npm test`. */
import { runChecks } from "./checks/all.ts";
import { runTool } from "./supervise/errors.ts";
import { root } from "./system/layout.ts";

await runTool(async () => ((await runChecks(root)).some(({ failed }) => failed > 0) ? 1 : 0));
