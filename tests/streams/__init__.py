"""Tests of streams, on a real broker wherever a broker matters."""
