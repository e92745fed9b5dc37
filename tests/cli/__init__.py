"""The command as people and programs hold on to it."""
