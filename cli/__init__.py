"""`dormouse`: the operator's command line, and the whole stack on one machine."""
