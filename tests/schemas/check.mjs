// Checks documents against the schemas that their authors publish. Standard input is a JSON array of { kind, name, text }; standard output is
// a JSON array with a list of errors for each document. `kind` is kubernetes (several YAML documents), github, or gitlab.
import { createRequire, register } from "node:module";
import { text as textOf } from "node:stream/consumers";
import { pathToFileURL } from "node:url";

register("./bundler.mjs", import.meta.url);

// The packages are installed beside the results of builds, not here.
const require = createRequire(process.env.CRUST_SCHEMAS + "/");
const load = (path) => import(pathToFileURL(process.env.CRUST_SCHEMAS + "/node_modules/" + path).href);
const { parse, parseAllDocuments } = require("yaml");

// The models of Kubernetes, Flux and Argo CD are validators generated from their OpenAPI documents and CRDs. They read each field that
// the schema has and pass over others, which a cluster refuses: so a field that was never read is one that the schema doesn't have.
function watched(value, path, read) {
  return value === null || typeof value !== "object" ? value : new Proxy(value, {
    get(target, key) {
      if (typeof key !== "string" || !Object.hasOwn(target, key)) {
        return Reflect.get(target, key);
      }
      read.add(`${path}/${key}`);
      return watched(target[key], `${path}/${key}`, read);
    },
  });
}

function unread(value, path, read) {
  return value === null || typeof value !== "object"
    ? []
    : Object.entries(value).flatMap(([key, inner]) => read.has(`${path}/${key}`) ? unread(inner, `${path}/${key}`, read) : [`${path}/${key}`]);
}

function modelOf({ apiVersion, kind }) {
  for (const models of ["kubernetes-models", "@kubernetes-models/flux-cd", "@kubernetes-models/argo-cd"]) {
    try {
      return require(`${models}/${apiVersion}/${kind}`)[kind];
    } catch (error) {
      if (!["MODULE_NOT_FOUND", "ERR_PACKAGE_PATH_NOT_EXPORTED"].includes(error.code)) {
        throw error;
      }
    }
  }
}

function kubernetes(text) {
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0) {
      return document.errors.map((error) => error.message);
    }
    const object = document.toJS();
    const model = modelOf(object);
    if (!model) {
      return [`no published schema of ${object.apiVersion} ${object.kind}`];
    }
    const read = new Set();
    const errors = [];
    try {
      model.prototype.validate.call(watched(object, "", read));
    } catch (error) {
      errors.push(error.message);
    }
    return [...errors, ...unread(object, "", read).map((path) => `unknown field ${path}`)].map((error) => `${object.kind} ${object.metadata?.name}: ${error}`);
  });
}

// GitHub's own parser: the schema of workflows, and the expressions in them.
async function github(text, name) {
  const { NoOperationTraceWriter, convertWorkflowTemplate, parseWorkflow } = await load("@actions/workflow-parser/dist/index.js");
  const { context, value } = parseWorkflow({ name, content: text }, new NoOperationTraceWriter());
  if (value) {
    await convertWorkflowTemplate(context, value);
  }
  return context.errors.getErrors().map((error) => error.message);
}

let gitlabSchema;
async function gitlab(text) {
  gitlabSchema ??= await (async () => {
    const { schema } = await load("gitlab-ci-local/src/schema/schema.js");
    const Ajv = require("ajv").default;
    return new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);
  })();
  return gitlabSchema(parse(text)) ? [] : gitlabSchema.errors.map((error) => `${error.instancePath} ${error.message} ${JSON.stringify(error.params)}`);
}

const checks = { kubernetes, github, gitlab };
const answers = [];
for (const { kind, name, text } of JSON.parse(await textOf(process.stdin))) {
  answers.push(await checks[kind](text, name));
}
process.stdout.write(JSON.stringify(answers));
