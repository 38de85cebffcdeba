"""Models compared on the same test rows: which is better, where, and is it more than luck?"""
