"""Bundles, evaluators and the catalogue of rules."""
