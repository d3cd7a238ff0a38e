"""What commands about the schedule document share: read, compare, and the next occurrences."""
