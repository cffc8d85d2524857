// resumable(client): a graphql-ws or graphql-sse client whose subscriptions
// continue after a reconnect with exactly what they missed. Both clients send
// the same request object again; this keeps the last position in it.
//
//   const client = resumable(createClient({
//     url, retryAttempts: Infinity, shouldRetry: () => true }));

export function resumable(client) {
  const track = (request) => {
    const kappa = { ...request.extensions?.kappa };
    return {
      request: { ...request, extensions: { ...request.extensions, kappa } },
      note(result) {
        const position = result?.extensions?.kappa?.position;
        if (position) kappa.after = position;
        return result;
      },
    };
  };
  return {
    ...client,
    subscribe(payload, sink, ...more) {
      const { request, note } = track(payload);
      const next = (result) => sink.next(note(result));
      const { error, complete } = sink;
      return client.subscribe(
        request,
        { next, error: error?.bind(sink), complete: complete?.bind(sink) },
        ...more,
      );
    },
    iterate(payload, ...more) {
      const { request, note } = track(payload);
      const results = client.iterate(request, ...more);
      const next = results.next.bind(results);
      results.next = async () => {
        const step = await next();
        note(step.value);
        return step;
      };
      return results;
    },
  };
}
