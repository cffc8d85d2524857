// node run.js URL: Relay's runtime against kappa, with what its compiler made
// of operations.js. Prints what the store held at each step, as JSON.
'use strict';

const { createClient } = require('graphql-sse');
const {
  Environment, Network, Observable, RecordSource, Store, commitMutation,
  createOperationDescriptor, fetchQuery, getRequest, requestSubscription,
  getSingularSelector,
} = require('relay-runtime');

const url = process.argv[2];
const artifact = (name) => require(`./__generated__/${name}.graphql.js`);

async function fetchFunction({ text, name }, variables) {
  const response = await fetch(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      accept: 'application/graphql-response+json; charset=utf-8, application/json; charset=utf-8',
    },
    body: JSON.stringify({ query: text, variables, operationName: name }),
  });
  return response.json();
}

const streams = createClient({ url });
function subscribeFunction({ text, name }, variables) {
  return Observable.create((sink) => streams.subscribe(
    { query: text, variables, operationName: name }, sink));
}

const environment = new Environment({
  network: Network.create(fetchFunction, subscribeFunction),
  store: new Store(new RecordSource()),
});

// What a component that shows the room's posts would be given.
function fragmentOf(room) {
  const { data, isMissingData } = environment.lookup(
    getSingularSelector(artifact('operations_posts'), room));
  return { data, isMissingData };
}

// The query's result in the store, kept.
function readRoom(operation) {
  return environment.lookup(operation.fragment).data.room;
}

const mutate = (name, variables) => new Promise((resolve, reject) => {
  commitMutation(environment, {
    mutation: artifact(name), variables,
    onCompleted: (data, errors) => (errors ? reject(new Error(errors[0].message)) : resolve(data)),
    onError: reject,
  });
});

// Resolves when `count` values have come; `first` runs when it is subscribed.
function subscribe(name, variables, count, first) {
  return new Promise((resolve, reject) => {
    const values = [];
    const subscription = requestSubscription(environment, {
      subscription: artifact(name), variables,
      onNext: (data) => {
        values.push(data);
        if (values.length < count) return first?.(values.length);
        subscription.dispose();
        return resolve(values);
      },
      onError: reject,
    });
    if (count === 1) first?.(0);
  });
}

// Of a connection Relay tells the id itself.
function connectionId(room) {
  return require('relay-runtime').ConnectionHandler.getConnectionID(room, 'Room_posts');
}

async function main() {
  const seen = {};
  const operation = createOperationDescriptor(getRequest(artifact('operationsRoomQuery')), { id: 'tea' });
  environment.retain(operation);
  await fetchQuery(environment, artifact('operationsRoomQuery'), { id: 'tea' }).toPromise();
  const texts = () => fragmentOf(readRoom(operation)).data.posts.edges.map((e) => e.node.text);
  const page = () => environment.getStore().getSource()
    .get(connectionId('tea')).pageInfo.__ref;
  const info = () => environment.getStore().getSource().get(page());

  seen.room = readRoom(operation).count;
  seen.first = texts();
  for (let i = 0; i < 5 && info().hasNextPage; i++) {
    await fetchQuery(environment, artifact('operationsPageQuery'),
      { id: 'tea', count: 2, cursor: info().endCursor }).toPromise();
    seen[`page${i + 2}`] = texts().length;
  }
  seen.all = texts();
  seen.missing = fragmentOf(readRoom(operation)).isMissingData;

  const post = (id, text) => mutate('operationsPostMutation',
    { id, room: 'tea', text, connections: [connectionId('tea')] });
  seen.mutation = (await post('p8', 'from a mutation')).post.roomInfo.count;
  seen.appended = texts().slice(-1);
  seen.counted = readRoom(operation).count;
  seen.refused = await post('p8', 'again').catch((error) => error.message);

  // A live field: now, and when somebody else writes.
  const write = (id) => fetchFunction({ text: `mutation { post(id: "${id}", room: "tea", text: "${id}") { id } }` });
  const live = await subscribe('operationsRoomSubscription', { id: 'tea' }, 2, () => write('p9'));
  seen.live = live.map((data) => data.room.count);
  seen.followed = readRoom(operation).count;

  // A change stream: its events are appended to the same connection. What was
  // written before it was there is not told, so it is written until it is.
  let n = 0;
  const again = setInterval(() => write(`q${n++}`), 200);
  const [told] = await subscribe('operationsPostedSubscription',
    { room: 'tea', connections: [connectionId('tea')] }, 1);
  clearInterval(again);
  seen.told = /^q\d+$/.test(told.posted.text) && texts().includes(told.posted.text);

  const node = await fetchQuery(environment, artifact('operationsNodeQuery'), { id: 'p1' }).toPromise();
  seen.node = node.node;
  console.log(JSON.stringify(seen));
  streams.dispose();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
