# What peerd/cli adds.
