package main

import (
	"testing"

	"github.com/jotgate/jotgate/examples/frameworks/judge"
)

func TestRoutes(t *testing.T) { judge.Run(t, routes) }
