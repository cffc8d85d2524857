/**
 * @generated SignedSource<<05ab04e33a23536aa1843f8c61090ffb>>
 * @lightSyntaxTransform
 * @nogrep
 */

/* eslint-disable */

'use strict';

var node = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "id"
  }
],
v1 = [
  {
    "alias": null,
    "args": [
      {
        "kind": "Variable",
        "name": "id",
        "variableName": "id"
      }
    ],
    "concreteType": "Room",
    "kind": "LinkedField",
    "name": "room",
    "plural": false,
    "selections": [
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "id",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "name",
        "storageKey": null
      },
      {
        "alias": null,
        "args": null,
        "kind": "ScalarField",
        "name": "count",
        "storageKey": null
      }
    ],
    "storageKey": null
  }
];
return {
  "fragment": {
    "argumentDefinitions": (v0/*: any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "operationsRoomSubscription",
    "selections": (v1/*: any*/),
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*: any*/),
    "kind": "Operation",
    "name": "operationsRoomSubscription",
    "selections": (v1/*: any*/)
  },
  "params": {
    "cacheID": "7fb821fbd0a456f90e6028e3a30f6238",
    "id": null,
    "metadata": {},
    "name": "operationsRoomSubscription",
    "operationKind": "subscription",
    "text": "subscription operationsRoomSubscription(\n  $id: ID!\n) {\n  room(id: $id) {\n    id\n    name\n    count\n  }\n}\n"
  }
};
})();

node.hash = "c240e26da11a42810c3ce6e8edc605cf";

module.exports = node;
