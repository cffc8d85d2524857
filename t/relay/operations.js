// What relay-compiler compiles: `npm run compile` writes __generated__.
import { graphql } from 'relay-runtime';

graphql`
  fragment operations_posts on Room
  @refetchable(queryName: "operationsPageQuery")
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" }) {
    name
    posts(first: $count, after: $cursor) @connection(key: "Room_posts") {
      totalCount
      edges {
        node {
          id
          text
        }
      }
    }
  }
`;

graphql`
  query operationsRoomQuery($id: ID!) {
    room(id: $id) {
      id
      count
      ...operations_posts
    }
  }
`;

graphql`
  query operationsNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      id
      ... on Room { name }
      ... on Post { text }
    }
  }
`;

graphql`
  mutation operationsPostMutation($id: ID!, $room: ID!, $text: String!, $connections: [ID!]!) {
    post(id: $id, room: $room, text: $text)
      @appendNode(connections: $connections, edgeTypeName: "PostEdge") {
      id
      text
      roomInfo {
        id
        count
      }
    }
  }
`;

graphql`
  subscription operationsRoomSubscription($id: ID!) {
    room(id: $id) {
      id
      name
      count
    }
  }
`;

graphql`
  subscription operationsPostedSubscription($room: ID!, $connections: [ID!]!) {
    posted(room: $room) @appendNode(connections: $connections, edgeTypeName: "PostEdge") {
      id
      text
    }
  }
`;
