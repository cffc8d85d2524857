// client.mjs NAME URL: what a client makes of our answers, as one JSON object:
// a query, a mutation, a subscription that changes twice, three errors.
import { kinds } from './kinds.mjs';

const [name, url] = process.argv.slice(2);
const client = kinds[name](url);
const SUBSCRIPTION = 'subscription { package(name: "bash") { name installs } }';
const MUTATION
  = 'mutation { report(package: "bash", kind: INSTALLED) { kind package } }';

// As JSON has it: without the client's own classes and marks.
const plain = (value) => JSON.parse(JSON.stringify(value,
  (key, member) => (key === '__typename' ? undefined : member)));

// The errors that a client reports, wherever it keeps them.
function errorsOf(error) {
  const list = Array.isArray(error) ? error
    : error.graphQLErrors ?? error.errors ?? error.result?.errors;
  return list?.map(({ message, path, extensions }) => (
    { message, path, code: extensions?.code })) ?? String(error);
}

const failure = (promise) => promise.then(
  (data) => ({ unexpected: data }), errorsOf);

function watch() {
  return new Promise((resolve, reject) => {
    const values = [];
    const stop = client.subscribe(SUBSCRIPTION, ({ package: row }) => {
      values.push(row.installs);
      if (values.length === 3) {
        stop();
        resolve(values);
      } else {
        client.mutate(MUTATION).catch(reject);
      }
    }, reject);
  });
}

function refused() {
  return new Promise((resolve) => {
    client.subscribe('subscription { nothing }',
      (data) => resolve({ unexpected: data }),
      (error) => resolve(errorsOf(error)));
  });
}

const seen = {
  query: await client.query('{ package(name: "bash") { name size } }'),
  mutation: await client.mutate(MUTATION),
  values: await watch(),
  invalid: await failure(client.query('{ nothing }')),
  check: await failure(client.mutate(
    'mutation { report(package: "none", kind: BROKEN) { id } }')),
  refused: await refused(),
};
console.log(JSON.stringify(plain(seen)));
client.close();
