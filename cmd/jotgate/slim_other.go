//go:build !linux

package main

// Elsewhere the system is left to decide which pages of the program stay.

func unmapProgram() {}
