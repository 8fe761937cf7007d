"""Who may say what: keys, signed and sealed objects, trust anchors, certificates."""
