"""W&B's side: the only folder that sends requests, or opens transaction logs."""
