// sdl.js FILE...: reads the files as one schema, as editors and code generators
// do, and prints it anew. Exit 1 and the reasons when graphql-js refuses it.
'use strict';

const { readFileSync } = require('fs');
const {
  buildSchema, lexicographicSortSchema, printSchema, validateSchema,
} = require('graphql');

const text = process.argv.slice(2).map((file) => readFileSync(file, 'utf8'));
try {
  const schema = buildSchema(text.join('\n'));
  const errors = validateSchema(schema);
  if (errors.length) throw new Error(errors.join('\n'));
  console.log(printSchema(lexicographicSortSchema(schema)));
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
