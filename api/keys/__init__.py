"""Who may call: keys that are made, listed and revoked."""
