"""The house itself: import rules, documents, what the repository may hold."""
