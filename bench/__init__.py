"""Each measured claim of the documentation is one command here: `make bench-NAME`."""
