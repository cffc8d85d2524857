// introspection.js URL: introspects, builds the schema that a client would
// have of it, and prints it as SDL. Exit 1 and the reason when that fails.
'use strict';

const {
  buildClientSchema, getIntrospectionQuery, lexicographicSortSchema,
  printSchema, validateSchema,
} = require('graphql');

async function main(url) {
  const query = getIntrospectionQuery({
    descriptions: true,
    specifiedByUrl: true,
    directiveIsRepeatable: true,
    schemaDescription: true,
    inputValueDeprecation: true,
  });
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const answer = await response.json();
  if (answer.errors) throw new Error(JSON.stringify(answer.errors));
  const schema = buildClientSchema(answer.data);
  const errors = validateSchema(schema);
  if (errors.length) throw new Error(errors.join('\n'));
  console.log(printSchema(lexicographicSortSchema(schema)));
}

main(process.argv[2]).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
