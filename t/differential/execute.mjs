// node execute.mjs BATCH [SEED] [CASES]: the same queries over the same data
// through kappa (BATCH, built from execute_batch.c) and graphql-js; prints
// every difference in data, and in the errors' paths and places.
import './node18.mjs';

import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { keyOf } from './answers.mjs';
import { makeQuery } from './queries.mjs';
import { Random } from './random.mjs';
import {
  GraphQLError, buildClientSchema, buildSchema, execute, getIntrospectionQuery,
  parse, printSchema, validate, validateSchema, version,
} from './node_modules/graphql/index.mjs';

const [batch = '../../build/execute_batch', seedText, countText = '4000'] = process.argv.slice(2);
const seed = seedText ? Number(seedText) : randomBytes(4).readUInt32LE();
const count = Number(countText);
const random = new Random(seed);
console.log(`# graphql-js ${version}, seed ${seed}, ${count} cases`);

const fixtures = new URL('../fixtures/execute/', import.meta.url).pathname;
const schema = buildSchema(readFileSync(fixtures + 'schema.graphql', 'utf8'));
const data = JSON.parse(readFileSync(fixtures + 'data.json', 'utf8'));

// What t/unit/graphql_fake.c does, for graphql-js.

function bindingOf(info) {
  const field = info.parentType.getFields()[info.fieldName];
  const node = field.astNode.directives?.find((d) => d.name.value === 'bind');
  const args = Object.fromEntries(
    (node?.arguments ?? []).map((a) => [a.name.value, a.value.value]));
  const as = args.as ?? (info.parentType.name === 'Mutation' ? 'MUTATION' : undefined);
  return { as, rule: args.rule === true };
}

function fetched(value) {
  if (value?.__error === undefined) return value;
  throw new GraphQLError(value.__error, { extensions: { code: value.code } });
}

function pageOf(rows, first) {
  if (rows == null) return null;
  const cut = typeof first === 'number' && first >= 0 && first < rows.length;
  return { all: rows, rows: cut ? rows.slice(0, first) : rows, hasNext: cut };
}

function cursor(index) {
  return index < 0 ? null : `c${index}`;
}

const readers = {
  CONNECTION: (source, args, info) => pageOf(fetched(source[info.fieldName]), args.first),
  EDGES: (page) => page.rows.map((row, index) => ({ row, index })),
  NODES: (page) => page.rows,
  PAGE_INFO: (page) => page,
  TOTAL_COUNT: (page) => page.all.length,
  EDGE_NODE: (edge) => edge.row,
  EDGE_CURSOR: (edge) => cursor(edge.index),
  HAS_NEXT_PAGE: (page) => page.hasNext,
  HAS_PREVIOUS_PAGE: () => false,
  START_CURSOR: (page) => cursor(page.rows.length ? 0 : -1),
  END_CURSOR: (page) => cursor(page.rows.length - 1),
  VALUE: (source, args, info) => {
    const takes = info.parentType.getFields()[info.fieldName].args.length > 0;
    return takes ? args : fetched(source[info.fieldName]);
  },
  MUTATION: (source, args, info) => {
    const row = fetched(source[info.fieldName]);
    return String(info.returnType).startsWith('RetirePayload') ? { row, path: info.path.key } : row;
  },
  PAYLOAD_ROW: (payload) => payload.row,
  PAYLOAD_POSITION: () => 'epoch-1',
  PAYLOAD_DUPLICATE: () => false,
  PAYLOAD_EVENT: (payload) => payload.path,
};

function resolve(source, args, context, info) {
  const { as, rule } = bindingOf(info);
  if (rule) throw new GraphQLError(`You may not see ${info.parentType.name}.${info.fieldName}.`);
  if (readers[as]) return readers[as](source, args, info);
  const value = fetched(source[info.fieldName]);
  return Array.isArray(value) && typeof args.first === 'number' ? pageOf(value, args.first).rows : value;
}

function expected(c) {
  const document = parse(c.text);
  return execute({
    schema, document,
    rootValue: data[c.root],
    variableValues: c.variables,
    fieldResolver: resolve,
    typeResolver: (value) => value.__typename,
  });
}

function makeCases() {
  const cases = [];
  let refused = 0;
  while (cases.length < count) {
    const c = makeQuery(random, schema);
    if (validate(schema, parse(c.text)).length) {
      if (++refused > count * 20) throw new Error(`hardly a query is valid: ${c.text}`);
      continue;
    }
    cases.push({ ...c, expected: expected(c) });
  }
  return cases;
}

function run(cases) {
  const chunks = cases.flatMap((c) => {
    const text = Buffer.from(c.text), variables = Buffer.from(JSON.stringify(c.variables));
    return [Buffer.from(`${text.length} ${variables.length}\n`), text, variables];
  });
  const { status, stdout, stderr } = spawnSync(
    batch, [fixtures + 'schema.graphql', fixtures + 'data.json'],
    { input: Buffer.concat(chunks), maxBuffer: 1 << 30 });
  if (status !== 0) console.log(`# ${batch} ended with ${status}: ${String(stderr).slice(0, 4000)}`);
  return String(stdout).split('\n');
}

function answerOf(line) {
  try {
    return JSON.parse(line);
  } catch {
    return { data: `no JSON: ${line}` };
  }
}

// What tools make of the introspection is the schema it was asked of, and each
// type of ours looks as graphql-js shows it (built-in ones have other
// descriptions, types another order).
function introspectionDiffers() {
  const text = getIntrospectionQuery({
    descriptions: true, specifiedByUrl: true, directiveIsRepeatable: true,
    schemaDescription: true, inputValueDeprecation: true, oneOf: true,
  });
  const got = answerOf(run([{ text, variables: {} }])[0]);
  if (got.errors || !got.data.__schema) return JSON.stringify(got);
  const built = buildClientSchema(got.data);
  const errors = validateSchema(built);
  if (errors.length) return String(errors[0]);
  if (printSchema(built) !== printSchema(schema)) return printSchema(built);
  const types = (data) => Object.fromEntries(data.__schema.types
    .filter((t) => !t.name.startsWith('__') && !['Int', 'Float', 'String', 'Boolean', 'ID'].includes(t.name))
    .map((t) => [t.name, JSON.stringify(t)]));
  const want = types(execute({ schema, document: parse(text) }).data);
  return Object.entries(types(got.data)).filter(([name, t]) => want[name] !== t).map(([, t]) => t).join('\n');
}

const introspected = introspectionDiffers();
if (introspected) console.log(introspected);
console.log(`${introspected ? 'not ok' : 'ok'} - introspection: what graphql-js builds of it is the same schema`);

const cases = makeCases();
const answers = run(cases);
let wrong = 0, withErrors = 0, refused = 0;
cases.forEach((c, i) => {
  const got = keyOf(answerOf(answers[i])), want = keyOf(c.expected);
  refused += want.startsWith('refused');
  withErrors += c.expected.errors !== undefined;
  if (got === want) return;
  if (++wrong > 3) return;
  console.log(`# ${c.text}\n# ${JSON.stringify(c.variables)}\n  kappa:\n    ${answers[i]}\n    ${got}\n  graphql-js:\n    ${JSON.stringify(c.expected)}\n    ${want}`);
});
console.log(`${wrong ? 'not ok' : 'ok'} - execute: ${cases.length} cases, ${withErrors} with errors, ${refused} refused, ${wrong} differ`);
process.exit(wrong || introspected ? 1 : 0);
