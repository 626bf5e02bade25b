package main

// The metrics of serve, at a separate address.

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"runtime"

	"github.com/jotgate/jotgate/api"
	"github.com/jotgate/jotgate/metrics"
)

type metricsFlags struct {
	MetricsAddr string `group:"server" placeholder:"HOST:PORT" help:"Serve /metrics for Prometheus at this address, without a login: choose one that only operators can reach. A port alone is one of 127.0.0.1. Default: none."`
}

// newMetrics returns the figures of this process.
func newMetrics() *metrics.Registry {
	figures := metrics.New()
	figures.Collect(func(_ context.Context, set metrics.Set) { set(metrics.BuildInfo, 1, version(), runtime.Version()) })
	return figures
}

// listenMetrics opens --metrics-addr.
func (f *metricsFlags) listenMetrics(ctx context.Context, s *serving) (*sideServer, error) {
	if f.MetricsAddr == "" {
		return nil, nil
	}
	return listenBeside(ctx, "--metrics-addr", f.MetricsAddr, s.current(func(g *generation) http.Handler { return g.metrics }))
}

// sideServer is a server at another address than --addr. nil serves nothing.
type sideServer struct {
	server   *http.Server
	listener net.Listener
}

// listenBeside opens the address of a flag. A port alone is one of 127.0.0.1.
func listenBeside(ctx context.Context, flag, addr string, handler http.Handler) (*sideServer, error) {
	full, err := networkAddress(flag, addr, "")
	if err != nil {
		return nil, err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", full)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %s (%s): %w", addr, flag, err)
	}
	return &sideServer{api.Server("", handler), listener}, nil
}

// serve serves until stop is done.
func (s *sideServer) serve(stop context.Context) {
	if s == nil {
		return
	}
	context.AfterFunc(stop, func() { _ = s.server.Close() })
	_ = s.server.Serve(s.listener)
	_ = s.server.Close()
}
