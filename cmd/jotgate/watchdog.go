package main

// The watchdog of systemd (WatchdogSec, sd_watchdog_enabled(3)).

import (
	"context"
	"os"
	"strconv"
	"time"
)

// watchdog notifies systemd twice in each interval that the process is alive, until stop
// is done. Without WatchdogSec in the unit it returns immediately.
func (a *app) watchdog(stop context.Context) {
	interval := a.watchdogInterval()
	if interval <= 0 {
		return
	}
	ticks := time.NewTicker(interval / 2)
	defer ticks.Stop()
	for {
		a.notify("WATCHDOG=1")
		select {
		case <-stop.Done():
			return
		case <-ticks.C:
		}
	}
}

// watchdogInterval returns the interval after which systemd ends this process if it
// receives no notification; 0 without a watchdog.
func (a *app) watchdogInterval() time.Duration {
	if pid := a.env["WATCHDOG_PID"]; pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return 0
	}
	interval, err := strconv.ParseInt(a.env["WATCHDOG_USEC"], 10, 32)
	if err != nil {
		return 0
	}
	return time.Duration(interval) * time.Microsecond
}
