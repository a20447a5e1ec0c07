"""All SQL, and the trace spool. Contracts in, contracts out, no decisions."""
