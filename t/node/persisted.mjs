// persisted.mjs URL QUERY: the query by Apollo's client as an automatic
// persisted query, by hash and GET first. Prints the result and, a line each,
// the methods of the requests that it took.
import { createHash } from 'node:crypto';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql }
  from '@apollo/client';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';

const [url, query] = process.argv.slice(2);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const methods = [];
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.from([
    new PersistedQueryLink({ sha256, useGETForHashedQueries: true }),
    new HttpLink({
      uri: url,
      fetch: (to, options) => {
        const text = JSON.stringify([to, options.body || '']);
        methods.push(options.method + (/__typename/.test(text) ? ' text' : ''));
        return fetch(to, options);
      },
    }),
  ]),
});
const { data } = await client.query({
  query: gql(query), fetchPolicy: 'no-cache' });
console.log(JSON.stringify(data));
console.log(methods.join('\n'));
client.stop();
