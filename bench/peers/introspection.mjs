// Prints graphql-js' introspection query, with everything in it.
import { getIntrospectionQuery } from 'graphql';

console.log(getIntrospectionQuery({
  specifiedByUrl: true, directiveIsRepeatable: true, schemaDescription: true,
  inputValueDeprecation: true,
}));
