# What certd adds to the build.
