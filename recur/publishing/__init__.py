"""Application packages: built from folders, and brought into the Batch account."""
