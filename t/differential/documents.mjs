export function makeDocument(random, schema, wrong) {
  return '{ __typename }';
}
