// audits.js URL: what the reference suite of GraphQL over HTTP says of a
// server: one line an audit, `ID STATUS NAME` and, where it is not ok, why.
'use strict';

const { auditServer } = require('graphql-http');

async function main(url) {
  for (const result of await auditServer({ url })) {
    const { id, status, name } = result;
    console.log([id, status, name, result.reason || ''].join('\t'));
  }
}

main(process.argv[2]).catch((error) => {
  console.error(String(error));
  process.exit(1);
});
