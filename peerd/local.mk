# What peerd adds to the build.
