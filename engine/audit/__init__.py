"""The Merkle log: tiles, checkpoints, proofs and evidence packets."""
