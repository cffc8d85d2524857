// GraphiQL for the URL that the page itself has. Subscriptions go over
// server-sent events, so that the headers typed in the editor hold for them
// too, and continue where they stopped when the connection breaks.
import { createGraphiQLFetcher } from '@graphiql/toolkit';
import { GraphiQL } from 'graphiql';
import { getOperationAST, parse } from 'graphql';
import { createClient } from 'graphql-sse';
import { createRoot } from 'react-dom/client';
import { resumable } from '../../examples/clients/resume.mjs';
import 'graphiql/style.css';

const url = location.origin + location.pathname;
const fetchOnce = createGraphiQLFetcher({ url });

function subscribe(request, headers) {
  const client = createClient({ url, headers, retryAttempts: Infinity });
  return resumable(client).iterate(request);
}

// What the editor says of the document may be older than its text.
function isSubscription({ query, operationName }) {
  try {
    const operation = getOperationAST(parse(query), operationName);
    return operation?.operation === 'subscription';
  } catch {
    return false; // the server says what is wrong
  }
}

function fetcher(request, options = {}) {
  return isSubscription(request)
    ? subscribe(request, options.headers)
    : fetchOnce(request, options);
}

createRoot(document.getElementById('graphiql'))
  .render(<GraphiQL fetcher={fetcher} />);
