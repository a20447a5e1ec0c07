"""What a text is looked at for before it may be taught, whoever said it."""
