"""The decision core broken on purpose: each mutation is a claim and the edits that break it. `tests/sim/mutate` applies them
to a copy, one at a time, and asks the simulation whether it notices.

A change of the core that moves one of these texts changes it here too; the test sim_mutations_apply sees to that."""

from . import book, bounds, ledger, own, servers, session, statements

MUTATIONS = (book.MUTATIONS + servers.MUTATIONS + bounds.MUTATIONS + session.MUTATIONS + ledger.MUTATIONS
             + statements.MUTATIONS + own.MUTATIONS)
