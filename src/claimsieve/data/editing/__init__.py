"""Edits of evidence, one module a kind. `refuting` makes it contradict the claim, `harmless` touches something else.

Both take the claim's text, its passages and dice, and give the passages anew, or None where no edit surely does that.
"""
