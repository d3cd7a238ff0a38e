"""`recur`: the operator's command line. Not deployed."""
