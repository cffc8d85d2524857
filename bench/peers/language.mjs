// language.mjs plan|introspect SCHEMA… DOCUMENT MILLISECONDS: bench/language.c
// with graphql-js. plan: parse and validate; it plans while it executes.
import { readFileSync } from 'node:fs';
import { buildSchema, executeSync, parse, validate } from 'graphql';

const [what, ...files] = process.argv.slice(2);
const milliseconds = Number(files.pop());
const text = readFileSync(files.pop(), 'utf8');
const schema = buildSchema(files.map((file) => readFileSync(file, 'utf8')).join('\n'),
  { assumeValidSDL: true });

function once(n) {
  const source = text.replace('########', String(n).padStart(8, '0'));
  const document = parse(source);
  const errors = validate(schema, document);
  if (errors.length) throw errors[0];
  if (what === 'plan') return source.length;
  const answer = executeSync({ schema, document });
  if (answer.errors) throw answer.errors[0];
  return JSON.stringify(answer).length;
}

function measure(ms) {
  const start = process.cpuUsage();
  let documents = 0, bytes, used;
  do {
    bytes = once(++documents);
    used = process.cpuUsage(start);
  } while (used.user + used.system < ms * 1000);
  return `documents ${documents} microseconds ${used.user + used.system} bytes ${bytes}`;
}

measure(milliseconds); // to warm up
console.log(measure(milliseconds));
