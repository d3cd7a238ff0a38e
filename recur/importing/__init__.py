"""Schedules of other systems, read from their files and written as tables of a document."""
