"""Other builds of the same job, made as their authors would make them, to be measured beside ours."""
