# What common/wire adds to the build.
