// The demo's schema as far as the bench asks, over data in memory: what the
// file says that is named by the first argument. { section: { name, packages,
// bytes, list: [{ name, version, size }, …] }, … }
import { readFileSync } from 'node:fs';
import { GraphQLScalarType } from 'graphql';

const sections = new Map(Object.entries(JSON.parse(readFileSync(process.argv[2], 'utf8'))));

export const typeDefs = `
  scalar BigInt
  type Package { name: ID! version: String! size: Int! }
  type Section { name: ID! packages: Int! bytes: BigInt! }
  type PackageConnection { nodes: [Package!]! }
  type Query {
    section(name: ID!): Section
    packages(section: ID!, first: Int = 20): PackageConnection!
  }
`;

export const resolvers = {
  BigInt: new GraphQLScalarType({ name: 'BigInt', serialize: String }),
  Query: {
    section: (_, { name }) => sections.get(name) ?? null,
    packages: (_, { section, first }) => ({ nodes: sections.get(section).list.slice(0, first) }),
  },
};
