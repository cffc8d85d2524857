// mercurius as its documentation sets it up for production: compiled queries.
import Fastify from 'fastify';
import mercurius from 'mercurius';
import { resolvers, typeDefs } from './data.mjs';

const app = Fastify();
app.register(mercurius, { schema: typeDefs, resolvers, jit: 1 });
await app.listen({ host: '127.0.0.1', port: 0 });
console.log(app.server.address().port);
