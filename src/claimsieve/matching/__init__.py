"""Claims that were checked before: found by their words and by what they mean, and told apart where they differ."""
