"""How a deployment stands: what is read, one value that says it, and how it is shown."""
