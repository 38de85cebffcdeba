"""Labelled claims in forms that other programs read."""
