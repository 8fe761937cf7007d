"""Fingerprint scanner on a serial line: protocol, driver, device server, emulator."""
