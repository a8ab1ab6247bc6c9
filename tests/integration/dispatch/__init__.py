"""What is asked of exchanges, byte for byte, and what they answer, well or badly."""
