# What peerd/cli adds to the build.
