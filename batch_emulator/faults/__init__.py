"""
Faults on demand: what Azure Batch and the network do on a bad day, by rules that a test gives.

rules        what a rule is, and how one is read
register     the rules in force, how often each was hit, and the requests seen
middleware   brings the faults about, before and after the pipeline that it stands in front of
control      the paths under ``/emulator`` by which rules come, are counted and go
changes      what a fault does to one job, task, node or pool; ``bodies`` reads what that needs
incidents    what was reported of the real service, and the faults that bring it about
"""
