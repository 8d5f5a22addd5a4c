"""What every layer shares: models, exceptions and ports. Imports nothing of ours."""
