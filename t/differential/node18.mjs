// What graphql-js 17 uses and Debian 12's Node 18 has not yet.

Array.prototype.toSorted ??= function toSorted(compare) {
  return [...this].sort(compare);
};
Array.prototype.toReversed ??= function toReversed() {
  return [...this].reverse();
};
Promise.withResolvers ??= function withResolvers() {
  const deferred = {};
  deferred.promise = new this((resolve, reject) => {
    Object.assign(deferred, { resolve, reject });
  });
  return deferred;
};
