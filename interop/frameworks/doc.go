// Package frameworks looks at jotgate from outside, as a program that imports
// it does: what is linked, and whether the pages on the gate show code that is
// there and works. The examples in web frameworks have tests of their own, in
// examples/frameworks.
package frameworks
