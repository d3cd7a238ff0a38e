"""Rehearse a document: its occurrences, decided by the product's own rules, on a simulated pool."""
