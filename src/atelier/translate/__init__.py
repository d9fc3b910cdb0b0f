"""Photo to painting without pairs: CycleGAN and its contrastive rival."""
