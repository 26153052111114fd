"""What lies on disk: checkpoints, and the machine and process that wrote them."""
