# What keyd adds to the build.
