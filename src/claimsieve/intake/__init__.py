"""A news article in, its factual claims with who says them and what speaks to them out."""
