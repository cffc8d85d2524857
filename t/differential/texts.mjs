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

export const FIXED = [];
