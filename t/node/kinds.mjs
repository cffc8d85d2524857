// The clients as their manuals set them up, behind one face:
//
//   { query(text), mutate(text), subscribe(text, next, error) -> stop, close }
//
// query and mutate give the data or reject with the client's own error.
import {
  ApolloClient, gql, HttpLink, InMemoryCache, split,
} from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { getMainDefinition } from '@apollo/client/utilities';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import * as sse from 'graphql-sse';
import * as ws from 'graphql-ws';
import WebSocket from 'ws';
import { resumable } from '../../examples/clients/resume.mjs';

// Apollo Client asks for the browser's class, which old versions of Node lack.
globalThis.WebSocket ??= WebSocket;

const retry = {
  retryAttempts: Infinity,
  retryWait: () => new Promise((resolve) => {
    setTimeout(resolve, 50 + Math.random() * 100);
  }),
};

export function socket(url) {
  return ws.createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: WebSocket,
    // Left to itself it gives up when a handshake breaks off.
    shouldRetry: () => true,
    ...retry,
  });
}

export function events(url) {
  return sse.createClient({ url, ...retry, retry: retry.retryWait });
}

// graphql-ws and graphql-sse run queries and mutations as well.
function bare(plain) {
  const client = resumable(plain);
  const once = (query) => new Promise((resolve, reject) => {
    let result;
    client.subscribe({ query }, {
      next: (value) => { result = value; },
      error: reject,
      complete: () => (result.errors
        ? reject(result.errors) : resolve(result.data)),
    });
  });
  return {
    query: once,
    mutate: once,
    subscribe: (query, next, error) => client.subscribe({ query }, {
      next: (result) => (result.errors
        ? error(result.errors) : next(result.data)),
      error,
      complete: () => {},
    }),
    close: () => plain.dispose(),
  };
}

function apollo(url) {
  const plain = socket(url);
  const client = new ApolloClient({
    cache: new InMemoryCache(),
    link: split(
      ({ query }) => getMainDefinition(query).operation === 'subscription',
      new GraphQLWsLink(resumable(plain)),
      new HttpLink({ uri: url }),
    ),
  });
  return {
    query: async (text) => (await client.query({ query: gql(text) })).data,
    mutate: async (text) => (
      await client.mutate({ mutation: gql(text) })).data,
    subscribe(text, next, error) {
      const subscription = client.subscribe({ query: gql(text) }).subscribe({
        next: (result) => (result.error
          ? error(result.error) : next(result.data)),
        error,
      });
      return () => subscription.unsubscribe();
    },
    close() { client.stop(); plain.dispose(); },
  };
}

function urql(url) {
  const plain = socket(url);
  const client = new Client({
    url,
    preferGetMethod: false,
    exchanges: [
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({
            unsubscribe: resumable(plain).subscribe(
              { ...request, query: request.query || '' }, sink),
          }),
        }),
      }),
    ],
  });
  const data = async (answer) => {
    const result = await answer.toPromise();
    if (result.error) throw result.error;
    return result.data;
  };
  return {
    query: (text) => data(client.query(text, {})),
    mutate: (text) => data(client.mutation(text, {})),
    subscribe(text, next, error) {
      const subscription = client.subscription(text, {}).subscribe(
        (result) => (result.error ? error(result.error) : next(result.data)));
      return () => subscription.unsubscribe();
    },
    close: () => plain.dispose(),
  };
}

export const kinds = {
  apollo,
  urql,
  'graphql-ws': (url) => bare(socket(url)),
  'graphql-sse': (url) => bare(events(url)),
};
