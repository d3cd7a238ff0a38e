"""What `recur doctor` looks at, one module for each service."""
