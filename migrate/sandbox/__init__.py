"""A W&B-compatible GraphQL service on loopback: for tests, for the demo, and to practise on."""
