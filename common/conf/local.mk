# What common/conf adds to the build.
