"""
What a tick costs: requests counted by the servers that got them, times as ratios of one run.

Nothing here is asserted of a clock: a laptop's speed is nobody's promise. The counts are, in
``tests/contract/passes/test_tick_cost.py``.
"""
