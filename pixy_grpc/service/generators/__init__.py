"""What makes images from prompts."""
