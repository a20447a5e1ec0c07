"""What strangers' tools say of our API: `make conformance`."""
