from dataclasses import dataclass


@dataclass
class Mutation:
    claim: str            # what is broken, as a user of the core would say it
    edits: tuple          # (file, old text, new text): the old text occurs exactly once
    same_because: str     # nothing that anyone can observe changes: why


def mutation(claim, *edits, same_because=""):
    return Mutation(claim, edits, same_because)
