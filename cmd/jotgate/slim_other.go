//go:build !linux

package main

// On other systems the kernel alone decides which pages of the program stay.

func unmapProgram() {}
