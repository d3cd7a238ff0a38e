"""
What the account holds: pools, nodes, jobs and tasks, as plain values that change in one place each.

Everything runs on one event loop, so that a change between two awaits is seen whole or not at all.
``body`` is what the client gave, with the service's defaults, and is echoed as it is; what the
emulator acts on has a field of its own.
"""
