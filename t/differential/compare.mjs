// node compare.mjs BATCH [SEED] [CASES]: the same documents and schemas
// through kappa (BATCH, built from batch.c) and graphql-js; prints every
// difference in verdict or in an error's places.
import './node18.mjs';
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { makeDocument } from './documents.mjs';
import { mutate } from './mutate.mjs';
import { Random } from './random.mjs';
import {
  INTROSPECTION, changes, clientSchema, documentErrors, introspect, loadSchema, parseErrors,
  sdlOf, version,
} from './reference.mjs';
import { makeSchema } from './schemas.mjs';
import { EXECUTABLE, FIXED, TYPE_SYSTEM } from './texts.mjs';

const [batch = '../../build/batch', seedText, countText = '6000'] = process.argv.slice(2);
const seed = seedText ? Number(seedText) : randomBytes(4).readUInt32LE();
const count = Number(countText);
const random = new Random(seed);
console.error(`# graphql-js ${version}, seed ${seed}, ${count} cases a part`);

function parseCases() {
  const seeds = [...EXECUTABLE, ...TYPE_SYSTEM];
  return Array.from({ length: count }, (_, i) => {
    const text = i < seeds.length ? seeds[i] : mutate(random, random.pick(seeds));
    return { kind: 'p', text, expected: parseErrors(text) };
  });
}

function schemaCases() {
  return Array.from({ length: count }, () => {
    let text = makeSchema(random, random.pick([0, 0.02, 0.05, 0.2]));
    if (random.chance(0.3)) text = mutate(random, text, 0);
    const { errors: expected, first } = loadSchema(text);
    return { kind: 's', schema: text, expected, first };
  });
}

function goodSchema() {
  for (;;) {
    const text = makeSchema(random, 0);
    const { schema, errors } = loadSchema(text);
    if (errors?.length === 0) return { text, schema };
  }
}

function documentCases() {
  const cases = FIXED.flatMap(({ schema: text, documents }) => {
    const { schema, errors } = loadSchema(text);
    if (errors.length) throw new Error(errors[0].message);
    return documents.flatMap((d) => [d, ...Array.from({ length: 30 }, () => mutate(random, d, 0))])
      .map((d, i) => ({ kind: 'v', schema: i ? '' : text, schemaShown: text, text: d, expected: documentErrors(schema, d) }));
  });
  while (cases.length < count) {
    const { text, schema } = goodSchema();
    for (let i = 0; i < 40; i++) {
      let document = makeDocument(random, schema, random.pick([0, 0.02, 0.1, 0.3]));
      // Wrong there, but looked at all the same.
      if (random.chance(0.04)) document += ` ${random.pick(TYPE_SYSTEM)}`;
      if (random.chance(0.2)) document = mutate(random, document, 0);
      cases.push({ kind: 'v', schema: i ? '' : text, schemaShown: text, text: document, expected: documentErrors(schema, document) });
    }
  }
  return cases;
}

function run(cases) {
  const chunks = cases.flatMap((c) => {
    const schema = Buffer.from(c.schema ?? '');
    const text = Buffer.from(c.text ?? '');
    return [Buffer.from(`${c.kind} ${schema.length} ${text.length}\n`), schema, text];
  });
  const { status, stdout, stderr } = spawnSync(batch, [], {
    input: Buffer.concat(chunks),
    maxBuffer: 1 << 30,
  });
  if (status !== 0) console.error(`# ${batch} ended with ${status}: ${String(stderr).slice(0, 4000)}`);
  return String(stdout).split('\n');
}

function keys(errors) {
  return errors.map((e) => e.places).sort().join(' | ');
}

// Introspection that graphql-js has beyond the specification of September 2025.
const BEYOND = /"isDeprecated" on type "__Directive"|"includeDeprecated" on field "__Schema\.directives"/;

function answerOf(line) {
  const value = JSON.parse(line || '"no answer"');
  if (typeof value === 'string') return [{ places: value, message: value }];
  return value.filter((e) => !BEYOND.test(e.message)).map((e) => ({
    places: (e.locations ?? []).map((l) => `${l.line}:${l.column}`).join(' '),
    message: e.message,
  }));
}

function show(list) {
  return list.map((e) => `    ${e.places}  ${e.message}`).join('\n');
}

function compare(name, cases) {
  const answers = run(cases);
  let wrong = 0, broken = 0;
  cases.forEach((c, i) => {
    if (c.expected === null) return;
    const got = answerOf(answers[i]);
    broken += c.expected.length > 0;
    if (keys(got) === keys(c.expected)) return;
    if (c.first && got.some((e) => e.places === c.expected[0].places)) return;
    if (++wrong > Number(process.env.SHOW ?? 5)) return;
    console.error(`# ${name} ${i} differs\n${c.schemaShown ? c.schemaShown + '\n----\n' : ''}${c.text ?? c.schema}`);
    const without = (list, other) => list.filter((e) => !other.some((x) => x.places === e.places));
    console.log(`  only kappa:\n${show(without(got, c.expected))}\n  only graphql-js:\n${show(without(c.expected, got))}`);
  });
  console.log(`${wrong ? 'not ok' : 'ok'} - ${name}: ${cases.length} cases, ${broken} of them invalid, ${wrong} differ`);
  return wrong;
}

function introspection() {
  const schemas = [...FIXED.map((f) => f.schema), ...Array.from({ length: Math.min(count, 300) }, () => goodSchema().text)];
  const answers = run(schemas.map((schema) => ({ kind: 'i', schema, text: INTROSPECTION })));
  let differ = 0;
  schemas.forEach((text, i) => {
    const expected = introspect(loadSchema(text).schema);
    let got;
    try {
      got = clientSchema(JSON.parse(answers[i]));
    } catch (error) {
      got = `${error.message}: ${answers[i]}`;
    }
    if (got === expected) return;
    if (++differ > 1) return;
    const lines = expected.split('\n');
    const at = got.split('\n').findIndex((l, k) => l !== lines[k]);
    console.error(`# introspection ${i} differs\n${text}\n  kappa:      ${got.split('\n')[at]}\n  graphql-js: ${lines[at]}`);
  });
  console.log(`${differ ? 'not ok' : 'ok'} - introspection: ${schemas.length} schemas, ${differ} differ`);
  return differ;
}

// Two schemas of the same names, or one and what became of it.
function goodPair() {
  const before = goodSchema();
  for (let i = 0; i < 20 && random.chance(0.8); i++) {
    const text = mutate(random, before.text, 0);
    const { schema, errors } = loadSchema(text);
    if (errors?.length === 0) return [before, { text, schema }];
  }
  return [before, goodSchema()];
}

// Each of graphql-js's changes has one of ours with its code, whose place its
// description names.
function unmatched(got, expected) {
  const left = [...got];
  const missing = expected.filter((change) => {
    // It calls an argument of a directive by the directive's name there.
    const at = left.findIndex(([code, place]) => code === change.type && (change.description.includes(place)
      || (code === 'DESCRIPTION_CHANGED' && place.startsWith('@')
        && change.description.includes(`${place.split('(')[0]}(`))));
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
  return [...missing.map((c) => `only graphql-js: ${c.type} ${c.description}`), ...left.map((c) => `only kappa: ${c.join(' ')}`)];
}

function diffs() {
  const pairs = Array.from({ length: Math.min(count, 3000) }, goodPair);
  const answers = run(pairs.map(([a, b]) => ({ kind: 'd', schema: a.text, text: b.text })));
  let differ = 0, all = 0;
  pairs.forEach(([a, b], i) => {
    const expected = changes(a.schema, b.schema);
    const wrong = unmatched(JSON.parse(answers[i]), expected);
    all += expected.length;
    if (wrong.length && ++differ <= 3) console.error(`# diff ${i} differs\n${a.text}\n----\n${b.text}\n  ${wrong.join('\n  ')}`);
  });
  console.log(`${differ ? 'not ok' : 'ok'} - diff: ${pairs.length} pairs of schemas, ${all} changes, ${differ} differ`);
  return differ;
}

// The largest schema that is public: 1.2 MB of SDL.
function github() {
  const path = new URL('node_modules/@octokit/graphql-schema/schema.graphql', import.meta.url);
  const schema = readFileSync(path, 'utf8');
  const [answer] = run([{ kind: 'i', schema, text: INTROSPECTION }]);
  const [got] = [clientSchema(JSON.parse(answer))].map((s) => s.slice(0, s.lastIndexOf('\n')));
  const differs = got !== sdlOf(schema);
  console.log(`${differs ? 'not ok' : 'ok'} - the schema of GitHub, introspected, is the same SDL`);
  return differs ? 1 : 0;
}

const only = process.env.ONLY;
let wrong = 0;
if (!only || only === 'parse') wrong += compare('parse', parseCases());
if (!only || only === 'schema') wrong += compare('schema', schemaCases());
if (!only || only === 'validate') wrong += compare('validate', documentCases());
if (!only || only === 'introspection') wrong += introspection();
if (!only || only === 'diff') wrong += diffs();
if (!only || only === 'github') wrong += github();
process.exit(wrong ? 1 : 0);
