// sse.js URL QUERY COUNT: subscribes with graphql-sse (distinct connections),
// prints COUNT results, one JSON object a line, and ends.
'use strict';

const { createClient } = require('graphql-sse');

async function main(url, query, count) {
  const client = createClient({ url, retryAttempts: 0 });
  const results = client.iterate({ query });
  let left = Number(count);
  for await (const result of results) {
    console.log(JSON.stringify(result));
    if (--left === 0) break;
  }
  client.dispose();
}

main(...process.argv.slice(2)).catch((error) => {
  console.error(error instanceof Error ? String(error) : JSON.stringify(error));
  process.exit(1);
});
