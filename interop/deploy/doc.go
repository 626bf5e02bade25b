// Package deploy starts what examples/deploy describes: the systemd unit, the
// container's file system, and jotgate under a path behind real gateways. It has only
// tests.
package deploy
