"""What both sides must agree on: settings, errors, contracts, tables, storage, engine and queue."""
