package passkey

import _ "embed" // of Script

// Script is passkey.js, a module for pages and front ends that runs the
// browser's half of the ceremonies: at most 4 KiB, without dependencies, and
// allowed by a policy such as script-src 'self' with Trusted Types. Its header
// describes how to call it.
//
//go:embed passkey.js
var Script []byte
