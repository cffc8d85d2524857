import { getIntrospectionQuery } from './node_modules/graphql/index.mjs';

// Documents that between them use the whole grammar; mutations start here.
export const EXECUTABLE = [
  `query Q($id: ID! = "1" @a(b: 1), $l: [[Int!]!]! = [[1, 2], []], $o: In = {a: 1, b: {c: [null, true, RED]}}) @on(x: -1.5e+3) {
  alias: field(arg: $id, str: "a\\n\\u00e9\\u{1F600}\\uD83D\\uDE00\\"", block: """
    block
      \\""" text
  """) @include(if: true) @skip(if: $no) {
    ...Frag @x
    ... on Type @y { id }
    ... { __typename }
    ... @include(if: true) { on fragment query type }
  }
}
mutation { a }
subscription S { b }
fragment Frag on Type @z { id, name , size }
`,
  '{ a }',
  '\ufeff# comment é\n{ a, b # more\n c }\r\n\r{ d }',
  '"""description"""\nquery Q("of x" $x: Int """of y""" $y: [Int]) { a(x: $x, y: $y) }\n"of F"\nfragment F on T { a }',
  '{ a(i: 0, j: -0, k: 12, f: 1.0, g: 1e10, h: -1.5E-3, s: "", b: """""", e: [], o: {}) }',
];

export const TYPE_SYSTEM = [
  `"""Schema description""" schema @a { query: Q mutation: M subscription: S }
extend schema @b { query: Q }
extend schema @b
"desc" scalar Date @specifiedBy(url: "https://x.test/d")
extend scalar Date @x
"""
Type
  description
"""
type A implements & B & C @d {
  "field" f(a: Int = 1 @x, "arg" b: [String!]! = ["x"]): Int! @deprecated(reason: "no")
  g: [A]
}
type Empty
extend type A implements D
extend type A @e
extend type A { h: Int }
interface B implements C { f: Int }
extend interface B @x
extend interface B implements E { k: Int }
union U @x = | A | B
union V = A
union W
extend union U = C
extend union U @y
enum E @x { "a" A @deprecated B C }
extend enum E { D }
extend enum E @z
input I @oneOf { a: Int = 1 @x, "b" b: I! = {a: 1} }
extend input I { c: Int }
extend input I @y
"dir" directive @d(a: Int = 1 @x, b: I) repeatable on | FIELD | QUERY | OBJECT
directive @e on FIELD_DEFINITION
`,
  'type Query { a: Int }',
  'extend type Query implements A & B @c { d(e: F = {g: [H]}): [I!]! }',
];

// A schema with a type of every kind, and documents that break each rule.
export const FIXED = [
  {
    schema: `interface Node { id: ID! }
interface Pet implements Node { id: ID! name(upper: Boolean): String }
type Dog implements Pet & Node { id: ID! name(upper: Boolean): String barks: Boolean! owner: Human trick(of: Trick! = SIT, times: Int!): Boolean }
type Cat implements Pet & Node { id: ID! name(upper: Boolean): String meows: Int owner: Human }
type Human { id: ID! pets(first: Int = 5, where: Filter, ids: [ID!]): [Pet!]! any: CatOrDog size: Float }
union CatOrDog = Cat | Dog
enum Trick { SIT ROLL }
input Filter { name: String age: Int = 1 and: [Filter!] must: Must }
input Must { id: ID! }
input One @oneOf { a: Int b: String }
scalar Time
directive @tag(name: String!) repeatable on FIELD | QUERY
directive @once(n: Int) on FIELD | FRAGMENT_DEFINITION | VARIABLE_DEFINITION
type Query { dog: Dog pet: Pet human(id: ID): Human one(of: One): Int at(time: Time): Int list(of: [Int!]!): Int f(x: Float, b: Boolean, s: String, i: Int, id: ID, t: Trick): Int node: Node either: CatOrDog }
type Mutation { act(n: Int): Int }
type Subscription { a: Int b: Int }`,
    documents: [
      '{ dog { id } } type T { a: Int } extend schema { query: Dog }',
      'query A { __typename } mutation A { __typename } query B { __typename }',
      '{ __typename } query A { __typename } { __typename }',
      'subscription { a }',
      'subscription S { a b }',
      'subscription S { ...F } fragment F on Subscription { a x: b ... { y: a } }',
      'subscription S { a @skip(if: true) b @include(if: false) }',
      'subscription S { __typename }',
      'query ($a: Dg, $b: [Float!], $c: Dog2) { ... on Ct { id } } fragment F on Humn { id }',
      '{ ... on Trick { id } ...F } fragment F on Filter { a }',
      'query ($a: Dog, $b: [Pet!]!, $c: Filter, $d: One) { __typename }',
      '{ dog { id { x } barks } pet human }',
      '{ dog { nam meows } pet { barks } either { id } nope { a { b } } __type(name: "a") { name } }',
      'mutation { __schema { types { name } } act }',
      '{ ...F } fragment F on Query { __typename } fragment F on Query { __typename }',
      '{ ...Fo ...F dog { ...Nope } } fragment Foo on Query { __typename }',
      '{ ...A } fragment A on Query { __typename } fragment B on Query { ...C } fragment C on Query { __typename }',
      '{ dog { ... on Cat { id } ...C ... on Pet { id } ... on CatOrDog { __typename } } either { ... on Human { id } ... on Node { id } } } fragment C on Cat { id }',
      '{ ...A } fragment A on Query { ...B } fragment B on Query { dog { id } ...A ...B }',
      'query ($a: Int, $b: Int, $a: String, $a: Int) { f(i: $a, x: $b) }',
      'query A { ...F f(i: $x) } query B($x: Int) { ...F } fragment F on Query { list(of: [$x, $y]) }',
      'query A($x: Int, $y: Int, $z: Int) { ...F y: f(i: $y) } fragment F on Query { f(i: $x) }',
      'query @skip(if: true) { dog @nope { id @tag(name: "x") @once } ... @once { __typename } }',
      '{ dog @once @once @tag(name: "a") @tag(name: "b") { id @skip(if: true) @skip(if: false) @skip(if: true) } }',
      '{ dog(x: 1) { name(uper: true) } human(id: 1, id2: 2) { id @tag(nme: "x", name: "y") } }',
      '{ human(id: 1, id: 2, id: 3) { id @tag(name: "a", name: "b") } }',
      '{ a: f(i: "1") b: f(i: 1.5) c: f(i: 2147483648) d: f(x: "1") e: f(s: 1) g: f(b: 1) h: f(id: 1.5) i: f(t: SITT) j: f(t: "SIT") k: f(i: [1]) l: f(s: {a: 1}) m: f(i: null) n: f(x: 1, b: true, s: "s", i: 1, id: 1, t: SIT) }',
      '{ a: list(of: null) b: list(of: 1) c: list(of: [1, null, "x"]) d: list(of: "x") e: at(time: {any: [1]}) }',
      '{ human { a: pets(where: {nme: "x", and: [{must: {}}, {age: "1"}], must: 1}) { id } b: pets(where: {must: {id: null}}) { id } c: pets(ids: ["a", null]) { id } } }',
      '{ a: one(of: {a: 1}) b: one(of: {}) c: one(of: {a: 1, b: "x"}) d: one(of: {a: null}) e: one(of: {a: 1, x: 2}) }',
      'query ($a: Int = "x", $b: Filter = {age: true}, $c: [Trick!] = [SIT, null], $d: Dog = 1) { __typename }',
      '{ dog { trick } a: dog { trick(of: ROLL) trick2: trick(times: 1) @tag @include } list }',
      'query ($i: Int, $ii: Int!, $d: Int = 1, $l: [Int], $ll: [Int!]!, $s: String) { dog { a: trick(times: $i) b: trick(times: $ii) c: trick(times: $d) e: trick(times: $s) } x: list(of: $l) y: list(of: $ll) z: list(of: [$i]) w: list(of: $ii) }',
      'query ($i: Int, $ii: Int!, $b: Boolean, $t: Trick) { a: one(of: {a: $i}) b: one(of: {a: $ii}) dog { id @skip(if: $b) trick(of: $t, times: 1) } }',
      '{ dog { id } dog { id } pet { id name } pet { id: name } }',
      '{ dog { x: id x: name } human(id: 1) { id } human(id: 2) { id } }',
      '{ pet { ... on Dog { v: barks n: name } ... on Cat { v: meows n: name(upper: true) } } }',
      '{ ...A ...B } fragment A on Query { x: dog { id } } fragment B on Query { x: pet { id } y: __typename }',
      '{ pet { ... on Dog { owner { x: id } } ... on Cat { owner { x: size } } } human(id: 1) { pets(where: {name: "a", age: 1}) { id } pets(where: {age: 1, name: "a"}) { id } } }',
      '{ human { pets(where: {age: 1, age: 2, and: [{name: "a", name: "b"}]}) { id } } }',
      '{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }',
      '{ __typename }',
      getIntrospectionQuery({ specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true, inputValueDeprecation: true, oneOf: true }),
    ],
  },
];
