// GitHub's parser is published for bundlers: its imports lack the endings of files, and it imports JSON as if that were a module.
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const endings = [".js", "/index.js"];

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && context.parentURL?.includes("/node_modules/")) {
    const url = new URL(specifier, context.parentURL).href.replace(/\/$/, "");
    const ending = endings.find((one) => !/\.(js|mjs|cjs|json)$/.test(url) && existsSync(fileURLToPath(url + one)));
    return ending ? { url: url + ending, shortCircuit: true } : url.endsWith(".json") ? { url, shortCircuit: true } : next(specifier, context);
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  return url.endsWith(".json") && context.format !== "commonjs"
    ? { format: "module", source: `export default ${readFileSync(fileURLToPath(url), "utf8")}`, shortCircuit: true }
    : next(url, context);
}
