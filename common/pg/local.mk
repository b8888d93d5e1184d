# What common/pg adds to the build.
