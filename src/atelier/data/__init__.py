"""Collections of paintings: found, checked, split, decoded and fed to a model."""
