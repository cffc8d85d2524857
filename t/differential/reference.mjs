// What graphql-js says, as lists of places: an error is "line:column …".
import './node18.mjs';

import {
  GraphQLError, Source, buildASTSchema, buildClientSchema, executeSync,
  getIntrospectionQuery, lexicographicSortSchema, parse, printSchema,
  validate, validateSchema,
} from './node_modules/graphql/index.mjs';
import { findSchemaChanges } from './node_modules/graphql/utilities/findSchemaChanges.mjs';
import { validateSDL } from './node_modules/graphql/validation/validate.mjs';

export { version } from './node_modules/graphql/index.mjs';

function places(error) {
  return (error.locations ?? []).map((l) => `${l.line}:${l.column}`).join(' ');
}

function errorsOf(list) {
  return list.map((e) => ({ places: places(e), message: e.message }));
}

// Directives on directive definitions, and their extensions, are a draft that
// graphql-js reads already.
function isDraft(text, document) {
  return (
    /\bextend[\s,]+directive\b|\bdirective\s*@\s*\w+\s*(\([^)]*\))?\s*@/.test(text) ||
    document?.definitions.some(
      (d) => d.kind === 'DirectiveDefinition' && d.directives?.length,
    )
  );
}

function parsed(text) {
  const result = tryParse(text);
  return isDraft(text, result.document) ? { errors: null } : result;
}

function tryParse(text) {
  try {
    // Selection sets may not be empty in the specification of September 2025.
    return { document: parse(new Source(text), { allowEmptySelectionSets: false }) };
  } catch (error) {
    if (!(error instanceof GraphQLError)) throw error;
    return { errors: errorsOf([error]) };
  }
}

// null: not to be compared
export function parseErrors(text) {
  const { errors = [] } = parsed(text);
  return errors;
}

export function loadSchema(text) {
  const { document, errors } = parsed(text);
  if (errors !== undefined) return { errors };
  const sdl = validateSDL(document);
  if (sdl.length) return { errors: errorsOf(sdl) };
  try {
    const schema = buildASTSchema(document, { assumeValidSDL: true });
    // Not taken over: schemas that are in use break it (docs/decisions.md).
    const deprecated = /implementation field .* must not be deprecated/;
    const wrong = validateSchema(schema).filter((e) => !deprecated.test(e.message));
    return { schema, errors: errorsOf(wrong) };
  } catch (error) {
    // A default of an output type makes graphql-js throw something else.
    if (!(error instanceof GraphQLError)) return { errors: null };
    return { errors: errorsOf([error]), first: true }; // it looked no further
  }
}

export function documentErrors(schema, text) {
  const { document, errors } = parsed(text);
  if (errors !== undefined) return errors;
  return errorsOf(validate(schema, document, undefined, { maxErrors: 10000 }));
}

export const INTROSPECTION = getIntrospectionQuery({
  specifiedByUrl: true,
  directiveIsRepeatable: true,
  schemaDescription: true,
  inputValueDeprecation: true,
  oneOf: true,
});

// What a client makes of an answer to it: the SDL and the names of all types,
// in an order that says nothing.
export function clientSchema(answer) {
  const schema = buildClientSchema(answer.data);
  const names = answer.data.__schema.types.map((t) => t.name).sort();
  return `${printSchema(lexicographicSortSchema(schema))}\n${names.join(' ')}`;
}

export function sdlOf(text) {
  return printSchema(lexicographicSortSchema(buildASTSchema(parse(text))));
}

// Whether a change is about an Int or a String that is used no more: they are
// always there.
function isStandard(description) {
  return /^Standard scalar|^(Int|Float|String|Boolean|ID) was added\.$/.test(description);
}

export function changes(before, after) {
  return findSchemaChanges(before, after).filter((c) => !isStandard(c.description));
}

export function introspect(schema) {
  return clientSchema(executeSync({ schema, document: parse(INTROSPECTION) }));
}
