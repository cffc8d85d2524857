/**
 * @generated SignedSource<<f5f25137922713664f357f9c723e10d5>>
 * @lightSyntaxTransform
 * @nogrep
 */

/* eslint-disable */

'use strict';

var node = (function(){
var v0 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "connections"
},
v1 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "room"
},
v2 = [
  {
    "kind": "Variable",
    "name": "room",
    "variableName": "room"
  }
],
v3 = {
  "alias": null,
  "args": (v2/*: any*/),
  "concreteType": "Post",
  "kind": "LinkedField",
  "name": "posted",
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
      "name": "text",
      "storageKey": null
    }
  ],
  "storageKey": null
};
return {
  "fragment": {
    "argumentDefinitions": [
      (v0/*: any*/),
      (v1/*: any*/)
    ],
    "kind": "Fragment",
    "metadata": null,
    "name": "operationsPostedSubscription",
    "selections": [
      (v3/*: any*/)
    ],
    "type": "Subscription",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [
      (v1/*: any*/),
      (v0/*: any*/)
    ],
    "kind": "Operation",
    "name": "operationsPostedSubscription",
    "selections": [
      (v3/*: any*/),
      {
        "alias": null,
        "args": (v2/*: any*/),
        "filters": null,
        "handle": "appendNode",
        "key": "",
        "kind": "LinkedHandle",
        "name": "posted",
        "handleArgs": [
          {
            "kind": "Variable",
            "name": "connections",
            "variableName": "connections"
          },
          {
            "kind": "Literal",
            "name": "edgeTypeName",
            "value": "PostEdge"
          }
        ]
      }
    ]
  },
  "params": {
    "cacheID": "56dced7277bf88828dd01698f8fb99c5",
    "id": null,
    "metadata": {},
    "name": "operationsPostedSubscription",
    "operationKind": "subscription",
    "text": "subscription operationsPostedSubscription(\n  $room: ID!\n) {\n  posted(room: $room) {\n    id\n    text\n  }\n}\n"
  }
};
})();

node.hash = "5f0d0e1cf8ed23ad900ac92bbbd81227";

module.exports = node;
