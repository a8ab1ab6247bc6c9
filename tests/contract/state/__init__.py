"""What every state engine promises."""
