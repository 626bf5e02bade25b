// Package frameworks tests jotgate as a program that imports it: what is linked, and
// whether the code in the documentation exists and works. The tests of the examples with
// web frameworks are in examples/frameworks.
package frameworks
