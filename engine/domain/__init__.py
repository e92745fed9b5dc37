"""What happened and what it means: pure, without clock, input, output or framework."""
