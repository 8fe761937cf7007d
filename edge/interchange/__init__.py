"""Biometric data as other makers' systems write and read it."""
